package contract

import (
	"slices"
	"testing"
)

func TestTheHashIsThatOfAllLanguages(t *testing.T) {
	want := []uint32{0, 1678549374, 4256427940, 2630778099, 2170012909, 189464437}
	var got []uint32
	for record := range want {
		got = append(got, hash(record))
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%d instead of %d", got, want)
	}
}

func TestKeysAndPartitionsAreOfTheHash(t *testing.T) {
	run := &Run{Partitions: 1000, spread: "random", keys: keys(1000)}
	if partition := run.Partition(1); partition != 374 {
		t.Fatalf("record 1 goes to partition %d", partition)
	}
	if key := string(run.keys[run.Key(2)]); key != "key-000000000940" {
		t.Fatalf("record 2 has key %s", key)
	}
}

func TestThreadsShareOutEachRecordOnce(t *testing.T) {
	run := &Run{Threads: 3}
	seen := make([]int, 10)
	run.Share(len(seen), func(record int) { seen[record]++ })
	for record, times := range seen {
		if times != 1 {
			t.Fatalf("record %d was sent %d times", record, times)
		}
	}
}
