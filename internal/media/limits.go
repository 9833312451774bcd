package media

import (
	"fmt"
	"math"
	"slices"
)

// Limits are what an instance takes. Zero means that it does not tell, or has
// no such limit.
type Limits struct {
	Types       []Type // empty: not told
	ImageBytes  int64
	ImagePixels int64 // width times height
	GIFPixels   int64 // of a GIF, beside ImagePixels
	VideoBytes  int64 // sound counts as video
	VideoPixels int64
	VideoRate   int // frames a second
}

// Unfit says which limit a file does not keep to.
type Unfit struct {
	// Limit is one of "type", "bytes", "pixels", "rate" (frames a second).
	Limit      string
	Type       Type
	Have, Most int64 // 0 for "type"
}

// Error implements error.
func (u *Unfit) Error() string {
	switch u.Limit {
	case "type":
		return fmt.Sprintf("files of the type %s are not taken", u.Type)
	case "rate":
		return fmt.Sprintf("the %s has %d frames a second, at most %d are taken", u.Type, u.Have, u.Most)
	}
	return fmt.Sprintf("the %s has %d %s, at most %d are taken", u.Type, u.Have, u.Limit, u.Most)
}

// Fits returns nil, or an *Unfit for the first limit that is not kept. What an
// Info does not tell (a type of "", a size of 0) passes.
func (l Limits) Fits(i Info) error {
	if i.Type != "" && !l.takes(i.Type) {
		return &Unfit{Limit: "type", Type: i.Type}
	}
	over := func(limit string, have, most int64) error {
		if most > 0 && have > most {
			return &Unfit{Limit: limit, Type: i.Type, Have: have, Most: most}
		}
		return nil
	}
	if err := over("bytes", i.Size, l.bytes(i.Type)); err != nil {
		return err
	}
	if err := over("pixels", i.Pixels(), l.pixels(i.Type)); err != nil {
		return err
	}
	if i.Type.Video() {
		return over("rate", int64(math.Round(min(i.Rate, 1e6))), int64(l.VideoRate))
	}
	return nil
}

func (l Limits) takes(t Type) bool { return len(l.Types) == 0 || slices.Contains(l.Types, t) }

// bytes is the most of a file of a type; of one that is not known, the larger
// of the two limits.
func (l Limits) bytes(t Type) int64 {
	switch {
	case t.Image():
		return l.ImageBytes
	case t != "":
		return l.VideoBytes
	case l.ImageBytes == 0 || l.VideoBytes == 0:
		return 0
	}
	return max(l.ImageBytes, l.VideoBytes)
}

func (l Limits) pixels(t Type) int64 {
	switch {
	case t == GIF:
		return least(l.GIFPixels, l.ImagePixels)
	case t.Image():
		return l.ImagePixels
	case t != "":
		return l.VideoPixels
	case l.ImagePixels == 0 || l.VideoPixels == 0:
		return 0
	}
	return max(l.ImagePixels, l.VideoPixels)
}

// least is the smallest of the limits that are set; 0 if none is.
func least(limits ...int64) int64 {
	var m int64
	for _, n := range limits {
		if n > 0 && (m == 0 || n < m) {
			m = n
		}
	}
	return m
}
