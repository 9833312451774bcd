package media

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
)

// Kind sorts failures by what a caller can do about them.
type Kind string

// The kinds of failure.
const (
	// NotMedia: the file is no picture, film or sound that is known here, such
	// as a web page in its place. It will not become one.
	NotMedia Kind = "not_media"
	// Broken: it begins as one, but is cut off or contradicts itself.
	Broken Kind = "broken"
	// TooLarge: there are more bytes than were allowed.
	TooLarge Kind = "too_large"
	// NotFound: the server answered that it is not there, or not for us.
	NotFound Kind = "not_found"
	// NotPublic: the address may not be fetched from at all.
	NotPublic Kind = "not_public"
	// Transient: network or server trouble, or no whole body in time; Error.RetryAt
	// says when to come back if the server said so. It may work later.
	Transient Kind = "transient"
	// NoSpace: the disk is full. The operator has to make room.
	NoSpace Kind = "no_space"

	// FFmpegMissing: there is no ffmpeg, or it lacks what is needed.
	FFmpegMissing Kind = "ffmpeg_missing"
	// FFmpegTimeout: it did not come to an end in time and was ended.
	FFmpegTimeout Kind = "ffmpeg_timeout"
	// FFmpegKilled: a signal ended it: a limit, the system, or a fault of its own.
	FFmpegKilled Kind = "ffmpeg_killed"
	// FFmpegFailed: it reported an error.
	FFmpegFailed Kind = "ffmpeg_failed"
	// FFmpegResult: it reported success, but what it made is not what was
	// asked for, or nothing.
	FFmpegResult Kind = "ffmpeg_result"
)

// Error is a failure of a known kind. Its text is for the operator.
type Error struct {
	Kind   Kind
	Status int // HTTP status of the answer; 0 where none came or none matters
	// RetryAt is when the server asked to be tried again; zero when it did not
	// say. At most a day ahead.
	RetryAt time.Time

	text string
	err  error
}

// Error implements error.
func (e *Error) Error() string { return e.text }

// Unwrap gives the cause, where there is one.
func (e *Error) Unwrap() error { return e.err }

// KindOf is the kind of an error of this package, also when it has been wrapped
// since; "" for nil, for an Unfit, and for any other error.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return ""
}

func failure(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, text: fmt.Sprintf(format, args...)}
}

// writing is the error for a file of ours that could not be written.
func writing(err error) error {
	if diskFull(err) {
		return &Error{Kind: NoSpace, err: err, text: "the disk is full: make room where the temporary files are kept"}
	}
	return fmt.Errorf("write a temporary file: %w", err)
}

// quote makes text from outside fit for a line of a log: short, valid, one line.
func quote(s string, most int) string {
	s = strings.ToValidUTF8(s, "?")
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return s
}
