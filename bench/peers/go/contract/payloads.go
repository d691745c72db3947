package contract

import (
	"errors"
	"os"
)

// Payloads are values of one size, sent in turn.
type Payloads struct {
	bytes []byte
	size  int
	count int
	// How many were sent before this stretch, so that values go on where they were.
	before int
}

func read(path string, size int) (*Payloads, error) {
	bytes, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if size < 1 || len(bytes) == 0 || len(bytes)%size != 0 {
		return nil, errors.New("the payload file holds no whole values")
	}
	return &Payloads{bytes: bytes, size: size, count: len(bytes) / size}, nil
}

// Write puts a record's value into memory of the caller's, written once, as a program writes its
// own. The record's number says which, so that goroutines share no counter.
func (p *Payloads) Write(into []byte, record int) []byte {
	at := (p.before + record) % p.count * p.size
	return append(into[:0], p.bytes[at:at+p.size]...)
}
