package apicheck

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// Variable names the folder that holds specs/, the published descriptions,
// and captures/, recorded traffic. Without it tests check less.
const Variable = "ROOKERY_TESTDATA"

// Mastodon loads the description of Mastodon's client API
// (https://github.com/abraham/mastodon-openapi) from dir/specs. What it is
// known to have wrong is put right, as mastodon.go says.
func Mastodon(dir string) (*Spec, error) {
	s, err := loadFile(filepath.Join(dir, "specs", "mastodon-openapi.json"), mastodonOverlay)
	if err != nil {
		return nil, err
	}
	s.rails = true
	return s, nil
}

// OpenAI loads the description of OpenAI's API
// (https://github.com/openai/openai-openapi) from dir/specs. Its /responses
// cannot be compiled; a check of that path says so.
func OpenAI(dir string) (*Spec, error) {
	return loadFile(filepath.Join(dir, "specs", "openai-openapi.json"))
}

func loadFile(path string, overlays ...func(map[string]any)) (*Spec, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("load the description: %w", err)
	}
	s, err := Load(data, overlays...)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", filepath.Base(path), err)
	}
	return s, nil
}

// Data is the folder of descriptions and recorded traffic.
type Data struct{ Dir string }

// FromEnv returns the folder that Variable names, nil when it is not set. A
// nil Data gives nil Specs, which find everything right:
//
//	api := apicheck.FromEnv(t).Mastodon(t)
func FromEnv(t testing.TB) *Data {
	t.Helper()
	dir := os.Getenv(Variable)
	if dir == "" {
		return nil
	}
	return &Data{Dir: dir}
}

// Mastodon is the function of that name on the folder. It ends the test when
// the description cannot be loaded.
func (d *Data) Mastodon(t testing.TB) *Spec { t.Helper(); return d.load(t, Mastodon) }

// OpenAI is the function of that name on the folder. It ends the test when
// the description cannot be loaded.
func (d *Data) OpenAI(t testing.TB) *Spec { t.Helper(); return d.load(t, OpenAI) }

func (d *Data) load(t testing.TB, load func(string) (*Spec, error)) *Spec {
	t.Helper()
	if d == nil {
		return nil
	}
	s, err := load(d.Dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
