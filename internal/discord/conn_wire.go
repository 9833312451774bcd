package discord

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// frameCap bounds one message of the gateway, unpacked: the GUILD_CREATE of a
// very large guild has some megabytes.
const frameCap = 32 << 20

// The operations of the gateway. Source: topics/opcodes-and-status-codes,
// "Gateway Opcodes".
const (
	opDispatch       = 0
	opHeartbeat      = 1
	opIdentify       = 2
	opResume         = 6
	opReconnect      = 7
	opInvalidSession = 9
	opHello          = 10
	opHeartbeatAck   = 11
)

// frame is one message of the gateway. Its data stays as it came: what cannot
// be read there concerns the one who needs it, and never the connection.
type frame struct {
	Op    int             `json:"op"`
	Data  json.RawMessage `json:"d"`
	Seq   int64           `json:"s"`
	Event string          `json:"t"`
}

// readFrame reads a frame. Numbers and names that are not what they should be
// are left at zero; the error says that it cannot be told what it is.
func readFrame(raw []byte) (frame, error) {
	var w struct {
		Op    *json.Number    `json:"op"`
		Data  json.RawMessage `json:"d"`
		Seq   json.RawMessage `json:"s"`
		Event json.RawMessage `json:"t"`
	}
	if err := json.Unmarshal(raw, &w); err != nil {
		return frame{}, fmt.Errorf("a frame that cannot be read: %w", err)
	}
	if w.Op == nil {
		return frame{}, errors.New("a frame without an operation")
	}
	op, err := w.Op.Int64()
	if err != nil {
		return frame{}, errors.New("a frame whose operation is no number")
	}
	f := frame{Op: int(op), Data: w.Data}
	if json.Unmarshal(w.Seq, &f.Seq) != nil || f.Seq < 0 {
		f.Seq = 0
	}
	if json.Unmarshal(w.Event, &f.Event) != nil {
		f.Event = ""
	}
	return f, nil
}

// inflater unpacks the transport compression zlib-stream: one context for a
// connection, each message ended by a sync flush. Source: events/gateway,
// "zlib-stream". zlib and not zstd, because its window is 32 KiB and not megabytes.
type inflater struct {
	most   int // bytes of one message, unpacked; 0 means frameCap
	packed bytes.Buffer
	began  bool
	reader io.ReadCloser
	window []byte // the last 32 KiB that were unpacked
}

const deflateWindow = 32 << 10

var syncFlush = []byte{0x00, 0x00, 0xff, 0xff}

// add takes in one WebSocket message. It returns the gateway's message once
// that is complete, and nil before. After an error the stream is lost.
func (z *inflater) add(data []byte) ([]byte, error) {
	most := z.most
	if most == 0 {
		most = frameCap
	}
	if z.packed.Len()+len(data) > most {
		return nil, errTooLong
	}
	z.packed.Write(data)
	if !bytes.HasSuffix(z.packed.Bytes(), syncFlush) {
		return nil, nil
	}
	packed := z.packed.Bytes()
	if !z.began { // the header of the stream
		if len(packed) < 2 || packed[0]&0x0f != 8 || (uint(packed[0])<<8|uint(packed[1]))%31 != 0 || packed[1]&0x20 != 0 {
			return nil, errors.New("the gateway's stream is not packed with zlib")
		}
		packed, z.began = packed[2:], true
	}
	// A flushed message begins at a whole byte, and needs nothing of the past
	// but the window.
	in := bytes.NewReader(packed)
	if z.reader == nil {
		z.reader = flate.NewReaderDict(in, z.window)
	} else if err := z.reader.(flate.Resetter).Reset(in, z.window); err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	out, err := io.ReadAll(io.LimitReader(z.reader, int64(most)+1))
	if len(out) > most {
		return nil, errTooLong
	}
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) { // the stream goes on, so its end is always unexpected
		return nil, fmt.Errorf("unpack: %w", err)
	}
	z.window = append(z.window, out...)
	if over := len(z.window) - deflateWindow; over > deflateWindow { // not with each small message
		z.window = append(make([]byte, 0, 3*deflateWindow), z.window[over:]...)
	}
	z.packed.Reset()
	if z.packed.Cap() > 1<<20 { // after the one big guild
		z.packed = bytes.Buffer{}
	}
	return out, nil
}
