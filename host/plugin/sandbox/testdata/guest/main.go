// Command guest is what a stock Go program does as a plugin.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

func main() {
	switch os.Args[1] {
	case "echo":
		echo()
	case "panic":
		var m map[string]int
		m["a"] = 1
	case "sleep":
		began := time.Now()
		time.Sleep(20 * time.Millisecond)
		fmt.Println(began.UTC().Format(time.RFC3339), time.Since(began) >= 20*time.Millisecond, time.Since(began) < 40*time.Millisecond)
	case "read":
		text, err := os.ReadFile(os.Args[2])
		fmt.Printf("%s %v\n", text, err)
	case "hoard":
		var all [][]byte
		for {
			all = append(all, make([]byte, 1<<20))
		}
	}
	fmt.Fprintln(os.Stderr, os.Getenv("PWD"))
}

// echo answers each line of JSON with itself.
func echo() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var v any
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			fmt.Println(err)
			continue
		}
		answer, err := json.Marshal(v)
		fmt.Printf("%s %v\n", answer, err)
	}
}
