package inputs

import "os"

// Describe is what counts of the file at a host path, as in Part.Value: type, the
// mode that git would keep, a link's target, and the content.
func (x *Index) Describe(path string) (string, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return "", err
	}
	return describe(entry{abs: path, info: info}, x)
}
