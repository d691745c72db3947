package contract

import "fmt"

// hash spreads record numbers over partitions and keys, with the same result in every language.
func hash(record int) uint32 {
	x := uint32(record) * 2654435761
	x ^= x >> 16
	x *= 0x85ebca6b
	return x ^ x>>13
}

// keys are all that records may have, made before anything is measured.
func keys(count int) [][]byte {
	keys := make([][]byte, count)
	for at := range keys {
		keys[at] = fmt.Appendf(nil, "key-%012d", at)
	}
	return keys
}
