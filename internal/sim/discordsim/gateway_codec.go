package discordsim

import (
	"bytes"
	"compress/zlib"
	"fmt"

	"github.com/coder/websocket"
	"github.com/klauspost/compress/zstd"
)

// The transports of the gateway, as they stand in the compress parameter of its
// address. Source: events/gateway, "Transport Compression".
const (
	TransportNone = ""
	TransportZlib = "zlib-stream"
	TransportZstd = "zstd-stream"
	// PayloadZlib is not a transport: a session has it that asked for compress
	// in IDENTIFY on a connection without one.
	PayloadZlib = "payload"
)

// encoder turns one gateway message into one WebSocket message. It is used by
// one goroutine.
type encoder interface {
	encode(message []byte) (websocket.MessageType, []byte, error)
}

func newEncoder(transport string) (encoder, error) {
	switch transport {
	case TransportNone:
		return plainEncoder{}, nil
	case TransportZlib:
		e := &zlibStream{}
		e.w = zlib.NewWriter(&e.buf)
		return e, nil
	case TransportZstd:
		e := &zstdStream{}
		var err error
		// One goroutine, so that Flush leaves nothing behind; a small window, for there may be many connections.
		e.w, err = zstd.NewWriter(&e.buf, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<17), zstd.WithLowerEncoderMem(true))
		if err != nil {
			return nil, fmt.Errorf("make a zstd encoder: %w", err)
		}
		return e, nil
	}
	return nil, fmt.Errorf("no transport %q", transport)
}

type plainEncoder struct{}

func (plainEncoder) encode(message []byte) (websocket.MessageType, []byte, error) {
	return websocket.MessageText, message, nil
}

// zlibStream has one context for a whole connection and ends each message with
// a sync flush, the four bytes 00 00 ff ff. Source: events/gateway, "zlib-stream".
type zlibStream struct {
	buf bytes.Buffer
	w   *zlib.Writer
}

func (e *zlibStream) encode(message []byte) (websocket.MessageType, []byte, error) {
	e.buf.Reset()
	if _, err := e.w.Write(message); err != nil {
		return 0, nil, err
	}
	if err := e.w.Flush(); err != nil {
		return 0, nil, err
	}
	return websocket.MessageBinary, bytes.Clone(e.buf.Bytes()), nil
}

// zstdStream has one frame for a whole connection, which never ends; each
// message is flushed. Source: events/gateway, "zstd-stream".
type zstdStream struct {
	buf bytes.Buffer
	w   *zstd.Encoder
}

func (e *zstdStream) encode(message []byte) (websocket.MessageType, []byte, error) {
	e.buf.Reset()
	if _, err := e.w.Write(message); err != nil {
		return 0, nil, err
	}
	if err := e.w.Flush(); err != nil {
		return 0, nil, err
	}
	return websocket.MessageBinary, bytes.Clone(e.buf.Bytes()), nil
}

// payloadZlib packs each message by itself. "Not all payloads will be
// compressed": those under a hundred bytes are left alone. Source:
// events/gateway, "Payload Compression".
type payloadZlib struct{}

func (payloadZlib) encode(message []byte) (websocket.MessageType, []byte, error) {
	if len(message) < 100 {
		return websocket.MessageText, message, nil
	}
	var buf bytes.Buffer
	w := zlib.NewWriter(&buf)
	if _, err := w.Write(message); err != nil {
		return 0, nil, err
	}
	if err := w.Close(); err != nil {
		return 0, nil, err
	}
	return websocket.MessageBinary, buf.Bytes(), nil
}
