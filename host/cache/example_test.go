package cache_test

import (
	"fmt"
	"os"

	"github.com/wr-build/wr/host/cache"
)

// What takes long is done once for each content of a file.
func Example() {
	dir, err := os.MkdirTemp("", "wr-cache-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)

	scan := func(source string) string {
		c, err := cache.Open(dir, cache.Options{})
		if err != nil {
			fmt.Println("warning:", err) // and c, which is nil, has nothing
		}
		key := cache.KeyOf("count 1", source)
		r, ok := c.Result(key)
		if !ok {
			r = cache.Result{Data: fmt.Append(nil, len(source), " bytes")}
			c.PutResult(key, r)
		}
		if err := c.Close(); err != nil {
			fmt.Println("warning:", err)
		}
		return fmt.Sprintf("%s, known before: %t", r.Data, ok)
	}
	fmt.Println(scan("def test_a(): pass"))
	fmt.Println(scan("def test_a(): pass"))
	// Output:
	// 18 bytes, known before: false
	// 18 bytes, known before: true
}
