package app

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What "run" would refuse in the operator's own texts, "config check" says
// before, whole and in words of its own.
func TestConfigCheckReadsTheTexts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("rookery.toml", `data_dir = "data"
[discord]
token_file = "discord.token"
does = ["gallery"]
[[account]]
name = "gallery"
server = "https://art.example"
token_file = "gallery.token"
does = ["gallery"]
[gallery]
texts = "texts.toml"
`)
	write("discord.token", "QUJD.x.y")
	write("gallery.token", "secret")
	check := func() error {
		cmd := (&cli{file: filepath.Join(dir, "rookery.toml")}).configCommand()
		cmd.SetArgs([]string{"check"})
		cmd.SetOut(io.Discard)
		cmd.SetErr(io.Discard)
		return cmd.Execute()
	}
	says := func(err error, parts ...string) {
		t.Helper()
		if err == nil || strings.HasSuffix(err.Error(), "file does not exist") {
			t.Errorf("got %v", err)
			return
		}
		for _, part := range parts {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("got %v, without %q", err, part)
			}
		}
	}
	says(check(), "rookery.toml:11: texts in [gallery]: there is no file ", "texts.toml; rookery gallery texts prints what belongs there")
	write("texts.toml", "[en]\nnonsense = 'a'\nrubbish = 'b'\n")
	says(check(), "texts.toml: line 2: ", "\n", "texts.toml: line 3: ")
	write("texts.toml", "")
	if err := check(); err != nil {
		t.Error(err)
	}
}
