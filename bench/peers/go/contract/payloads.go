package contract

import (
	"errors"
	"os"
	"sync/atomic"
)

// Payloads are values of one size, handed out in turn.
type Payloads struct {
	bytes []byte
	size  int
	count int
	next  atomic.Int64
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

// Write puts the next value into memory of the caller's, written once, as a program writes its own.
func (p *Payloads) Write(into []byte) []byte {
	at := int(p.next.Add(1)-1) % p.count * p.size
	return append(into[:0], p.bytes[at:at+p.size]...)
}
