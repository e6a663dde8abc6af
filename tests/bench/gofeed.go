// What gofeed takes for the same documents: gofeed ROUNDS FILE... prints "BYTES SECONDS" of CPU time.
package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"github.com/mmcdole/gofeed"
)

func used() float64 {
	var r syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return float64(r.Utime.Sec+r.Stime.Sec) + float64(r.Utime.Usec+r.Stime.Usec)/1e6
}

func main() {
	rounds, _ := strconv.Atoi(os.Args[1])
	total, seconds := 0, 0.0
	for _, name := range os.Args[2:] {
		text, err := os.ReadFile(name)
		if err != nil {
			panic(err)
		}
		begun := used()
		for i := 0; i < rounds; i++ {
			gofeed.NewParser().Parse(bytes.NewReader(text))
		}
		seconds += used() - begun
		total += rounds * len(text)
	}
	fmt.Println(total, seconds)
}
