package pyscan

import (
	"errors"
	"maps"

	"github.com/pelletier/go-toml/v2"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// settings are the values of one file. A list stands for what TOML had as one.
type settings map[string]any

// loader reads the settings of one file; nil means that it has none.
type loader func(data []byte) (settings, error)

// loaders are the files in which pytest looks for settings, in its order. Those
// of TOML alone came with pytest 9: for older versions they are not there.
var loaders = []struct {
	name string
	load loader
}{
	{"pytest.toml", loadPytestTOML},
	{".pytest.toml", loadPytestTOML},
	{"pytest.ini", loadPytestIni},
	{".pytest.ini", loadPytestIni},
	{"pyproject.toml", loadPyproject},
	{"tox.ini", loadToxIni},
	{"setup.cfg", loadSetupCfg},
}

// configFault is the fault of a file with settings that pytest refuses.
func configFault(name string, err error) error {
	f := &fault.Error{
		Code: "pytest.bad_config", Class: fault.Usage, File: name, Err: err,
		Message: "pytest cannot read its settings: " + err.Error(),
		Next:    "mend the file; pytest itself stops at it",
	}
	if bad, ok := errors.AsType[*toml.DecodeError](err); ok {
		f.Line, _ = bad.Position()
	}
	if bad, ok := errors.AsType[iniError](err); ok {
		f.Line = bad.line
	}
	return f
}

// iniError is a problem of a file of sections.
type iniError problem

func (e iniError) Error() string { return e.what }

func loadIni(data []byte, section string) (settings, ini, error) {
	all, fault := parseIni(string(data))
	if fault != nil {
		return nil, nil, iniError(*fault)
	}
	if all[section] == nil {
		return nil, all, nil
	}
	s := settings{}
	for name, value := range all[section] {
		s[name] = value
	}
	return s, all, nil
}

// loadPytestIni reads a file that is pytest's own, and so counts even if empty.
func loadPytestIni(data []byte) (settings, error) {
	s, _, err := loadIni(data, "pytest")
	if s == nil {
		s = settings{}
	}
	return s, err
}

func loadToxIni(data []byte) (settings, error) {
	s, _, err := loadIni(data, "pytest")
	return s, err
}

func loadSetupCfg(data []byte) (settings, error) {
	s, all, err := loadIni(data, "tool:pytest")
	if err == nil && s == nil && all["pytest"] != nil {
		return nil, errors.New("[pytest] in setup.cfg has to be [tool:pytest]")
	}
	return s, err
}

func loadPytestTOML(data []byte) (settings, error) {
	var file struct{ Pytest settings }
	if err := toml.Unmarshal(data, &file); err != nil {
		return nil, err
	}
	if file.Pytest == nil {
		return settings{}, nil
	}
	return file.Pytest, nil
}

func loadPyproject(data []byte) (settings, error) {
	var file struct {
		Tool struct{ Pytest map[string]any }
	}
	if err := toml.Unmarshal(data, &file); err != nil {
		return nil, err
	}
	table, isTable := file.Tool.Pytest["ini_options"].(map[string]any)
	own := maps.Clone(file.Tool.Pytest)
	delete(own, "ini_options")
	switch {
	case len(own) > 0 && len(table) > 0:
		return nil, errors.New("both [tool.pytest] and [tool.pytest.ini_options]")
	case len(own) > 0:
		return own, nil
	case isTable:
		return table, nil
	}
	return nil, nil
}
