package cli

import (
	"reflect"
	"testing"

	"github.com/wr-build/wr/host/config"
)

func TestEachLimitOfAPluginIsOneOfItsProcess(t *testing.T) {
	var l config.PluginLimits
	set := reflect.ValueOf(&l).Elem()
	for i := range set.NumField() {
		set.Field(i).SetInt(int64(1000 + i))
	}
	got := map[int64]bool{}
	var walk func(reflect.Value)
	walk = func(v reflect.Value) {
		for _, f := range v.Fields() {
			if f.Kind() == reflect.Struct {
				walk(f)
			} else {
				got[f.Int()] = true
			}
		}
	}
	walk(reflect.ValueOf(processLimits(l)))
	for i := range set.NumField() {
		// These two are of a call, not of the process.
		if name := set.Type().Field(i).Name; !got[int64(1000+i)] && name != "Call" && name != "Pending" {
			t.Errorf("%s is set and has no effect", name)
		}
	}
}
