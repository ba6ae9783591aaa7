package helper

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/klauspost/compress/zstd"
)

// Pack compresses files into dir, from where a build embeds them, and removes
// what an earlier Pack left there. The same files give the same bytes.
func Pack(dir string, files []string) error {
	var m manifest
	keep := map[string]bool{}
	for _, file := range files {
		p, data, err := compress(file)
		if err != nil {
			return fmt.Errorf("pack %s: %w", file, err)
		}
		if keep[p.file()] {
			return fmt.Errorf("pack %s: two helpers are called %s", file, p.Name)
		}
		keep[p.file()] = true
		m.Helpers = append(m.Helpers, p)
		if err := replaceChanged(filepath.Join(dir, p.file()), data); err != nil {
			return err
		}
	}
	if err := removeOthers(dir, keep); err != nil {
		return err
	}
	slices.SortFunc(m.Helpers, func(a, b packed) int { return cmp.Compare(a.Name, b.Name) })
	data, err := json.MarshalIndent(m, "", "\t")
	if err != nil {
		return err
	}
	return replaceChanged(filepath.Join(dir, manifestName), append(data, '\n'))
}

// compress returns a helper's entry and its packed bytes.
func compress(file string) (packed, []byte, error) {
	plain, err := os.ReadFile(file)
	if err != nil {
		return packed{}, nil, err
	}
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return packed{}, nil, err
	}
	defer encoder.Close()
	sum := sha256.Sum256(plain)
	p := packed{Name: filepath.Base(file), Size: int64(len(plain)), SHA256: hex.EncodeToString(sum[:])}
	p.Arch, err = arch(plain)
	return p, encoder.EncodeAll(plain, nil), err
}

// arch returns the GOARCH that a program is for; "" for a script.
func arch(program []byte) (string, error) {
	if !bytes.HasPrefix(program, []byte(elf.ELFMAG)) {
		return "", nil
	}
	f, err := elf.NewFile(bytes.NewReader(program))
	if err != nil {
		return "", err
	}
	switch f.Machine {
	case elf.EM_X86_64:
		return "amd64", nil
	case elf.EM_AARCH64:
		return "arm64", nil
	}
	return "", fmt.Errorf("wr has no build for machine %s", f.Machine)
}

// replaceChanged writes a file unless it has that content already.
func replaceChanged(path string, data []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, data) {
		return nil
	}
	return replace(path, 0o644, func(f *os.File) error {
		_, err := f.Write(data)
		return err
	})
}

// removeOthers removes packed helpers that are not to be kept.
func removeOthers(dir string, keep map[string]bool) error {
	old, err := filepath.Glob(filepath.Join(dir, "*.zst"))
	if err != nil {
		return err
	}
	for _, path := range old {
		if keep[filepath.Base(path)] {
			continue
		}
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return nil
}
