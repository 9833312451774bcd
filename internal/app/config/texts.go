package config

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// CheckTexts looks at the operator's own texts, if the gallery has some. look
// reads the file as the gallery does, and says everything that is wrong, one
// mistake a line; without it the file must only be there and be TOML.
//
// The error is an Errors, with a Problem for each mistake.
func (c *Config) CheckTexts(look func(file string) error) error {
	file := c.Gallery.Texts
	if file == "" || !c.Doing(FeatureGallery) {
		return nil
	}
	if look == nil {
		look = isTOML
	}
	err := look(file)
	const advice = "; rookery gallery texts prints what belongs there, or take the line away"
	switch _, unread := errors.AsType[*fs.PathError](err); {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return Errors{{c.File, c.Gallery.textsLine, "gallery.texts", "texts in [gallery]: there is no file " + file + advice}}
	case unread:
		return Errors{{c.File, c.Gallery.textsLine, "gallery.texts", "texts in [gallery]: the file " + file + " cannot be read: " + reason(err) + advice}}
	}
	var all Errors
	for line := range strings.Lines(strings.TrimPrefix(err.Error(), file+": ")) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, Problem{File: file, Key: "gallery.texts", Message: line})
		}
	}
	return all
}

// isTOML reads a file of texts as far as that can be done without knowing what
// texts there are.
func isTOML(file string) error {
	data, err := readFile(file)
	if err != nil {
		return err
	}
	var all map[string]any
	err = toml.Unmarshal([]byte(strings.TrimPrefix(string(data), "\ufeff")), &all)
	if bad, ok := errors.AsType[*toml.DecodeError](err); ok {
		line, _ := bad.Position()
		return fmt.Errorf("line %d: %s", line, strings.TrimPrefix(bad.Error(), "toml: "))
	}
	return err
}
