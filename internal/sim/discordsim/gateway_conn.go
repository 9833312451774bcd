package discordsim

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// gatewayConn is one connection of a client.
type gatewayConn struct {
	s         *Server
	ws        *websocket.Conn
	enc       encoder // of the writer alone
	transport string
	version   string
	encoding  string
	resuming  bool // it came to the address for resuming
	wake      chan struct{}

	// Under s.mu.
	ses     *gatewaySession
	control []controlFrame // goes before events
	next    int64          // sequence number of the event that is written next
	beatBy  time.Time      // when the next heartbeat is overdue, by the machine's clock
	sent    []time.Time    // of the client's messages in the last minute
	greeted bool           // HELLO is in the queue or out
	closing bool           // nothing more is read or answered
	payload bool           // IDENTIFY asked for payload compression
}

// controlFrame is a message that is no event, or the end of the connection.
type controlFrame struct {
	data  []byte
	close int  // with this code
	cut   bool // without a close frame
}

func (c *gatewayConn) poke() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// send queues a message that is no event. The mutex is held.
func (c *gatewayConn) send(op int, d any) {
	c.control = append(c.control, controlFrame{data: frame(op, encodePayload(d), 0, "")})
	c.poke()
}

// shut queues the close of the connection. The mutex is held.
func (c *gatewayConn) shut(code int) {
	if c.closing {
		return
	}
	c.closing = true
	c.control = append(c.control, controlFrame{close: code})
	c.leave(code)
	c.poke()
}

// cut queues the end of the connection without a word. The mutex is held.
func (c *gatewayConn) cut() {
	if c.closing {
		return
	}
	c.closing = true
	c.control = []controlFrame{{cut: true}}
	c.leave(0)
	c.poke()
}

// leave takes the session from the connection: it ends, or waits to be resumed.
// The mutex is held.
func (c *gatewayConn) leave(code int) {
	ses := c.ses
	c.ses = nil
	if ses == nil || ses.conn != c {
		return
	}
	ses.conn = nil
	ses.gone = c.s.now()
	if endsSession(code) {
		ses.over = true
	}
	c.s.change()
}

// frame is a message of the gateway. Source: events/gateway-events, "Payload Structure".
func frame(op int, d json.RawMessage, seq int64, name string) []byte {
	m := struct {
		T  *string         `json:"t"`
		S  *int64          `json:"s"`
		Op int             `json:"op"`
		D  json.RawMessage `json:"d"`
	}{Op: op, D: d}
	if op == opDispatch {
		m.T, m.S = &name, &seq
	}
	return encodePayload(m)
}

// serve runs the connection: it reads here and writes in a second goroutine.
func (c *gatewayConn) serve() {
	ctx, cancel := context.WithCancel(context.Background())
	var writing sync.WaitGroup
	defer writing.Wait()
	defer cancel()
	defer func() { _ = c.ws.CloseNow() }()

	c.s.mu.Lock()
	c.s.gw.conns[c] = struct{}{}
	c.open()
	c.s.mu.Unlock()
	defer func() {
		c.s.mu.Lock()
		defer c.s.mu.Unlock()
		c.closing = true
		delete(c.s.gw.conns, c)
		c.s.change()
	}()

	writing.Go(func() {
		c.write(ctx)
		_ = c.ws.CloseNow()
	})
	for {
		_, data, err := c.ws.Read(ctx)
		if err != nil {
			c.s.mu.Lock()
			if !c.closing {
				c.leave(int(websocket.CloseStatus(err)))
			}
			c.s.mu.Unlock()
			return
		}
		c.s.mu.Lock()
		if !c.closing {
			c.receive(data)
		}
		c.s.mu.Unlock()
	}
}

// open is the first thing a connection hears. The mutex is held.
func (c *gatewayConn) open() {
	interval := c.s.opt.HeartbeatInterval
	c.beatBy = time.Now().Add(2 * interval)
	switch f := &c.s.gw.faults; {
	case c.version != "10":
		c.shut(CloseInvalidVersion)
	case c.encoding != "" && c.encoding != "json": // ETF is left out
		c.shut(CloseDecodeError)
	case f.reconnectFirst > 0: // "even instead of HELLO"; events/gateway, "Reconnect"
		f.reconnectFirst--
		c.send(opReconnect, nil)
	default:
		c.greeted = true
		c.send(opHello, map[string]any{"heartbeat_interval": interval.Milliseconds(), "_trace": []string{`["gateway-sim",{"micros":0.0}]`}})
	}
}

// write writes what is queued until the connection ends.
func (c *gatewayConn) write(ctx context.Context) {
	for {
		out, event, beatBy := c.take()
		switch {
		case out == nil:
			overdue := time.NewTimer(time.Until(beatBy))
			select {
			case <-c.wake:
				overdue.Stop()
			case <-overdue.C:
				c.overdue()
			case <-ctx.Done():
				overdue.Stop()
				return
			case <-c.s.done:
				overdue.Stop()
				return
			}
			continue
		case out.cut:
			return
		case out.close != 0:
			_ = c.ws.Close(websocket.StatusCode(out.close), closeReason(out.close))
			return
		}
		if err := c.put(ctx, out.data); err != nil {
			return
		}
		if event != nil {
			c.s.mu.Lock()
			event.sent = max(event.sent, c.next-1)
			c.s.change()
			c.s.mu.Unlock()
		}
	}
}

// put encodes and writes one message.
func (c *gatewayConn) put(ctx context.Context, data []byte) error {
	kind, packed, err := c.enc.encode(data)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, gatewayWriteFor)
	defer cancel()
	return c.ws.Write(ctx, kind, packed)
}

// take is what is written next, with the session it is of when it is an event;
// nothing when there is nothing to write.
func (c *gatewayConn) take() (out *controlFrame, of *gatewaySession, beatBy time.Time) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if c.payload && c.transport == TransportNone {
		c.enc = payloadZlib{}
	}
	if len(c.control) > 0 {
		first := c.control[0]
		c.control = c.control[1:]
		return &first, nil, c.beatBy
	}
	if c.ses == nil || c.s.gw.faults.frozen {
		return nil, nil, c.beatBy
	}
	ev := c.ses.from(c.next)
	if ev == nil {
		return nil, nil, c.beatBy
	}
	c.next = ev.seq + 1
	return &controlFrame{data: frame(opDispatch, ev.data, ev.seq, ev.name)}, c.ses, c.beatBy
}

// overdue closes a connection whose heartbeat did not come. Source:
// events/gateway, "Sending Heartbeats".
func (c *gatewayConn) overdue() {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if time.Now().Before(c.beatBy) {
		return
	}
	c.beatBy = time.Now().Add(time.Hour)
	c.shut(CloseSessionTimedOut)
}

// receive is one message of the client. The mutex is held.
func (c *gatewayConn) receive(data []byte) {
	if !c.greeted {
		return // told to reconnect before HELLO
	}
	if c.tooMany() {
		c.shut(CloseRateLimited)
		return
	}
	var m struct {
		Op *int            `json:"op"`
		D  json.RawMessage `json:"d"`
	}
	if len(data) > payloadCap || json.Unmarshal(data, &m) != nil || m.Op == nil {
		c.shut(CloseDecodeError)
		return
	}
	switch op := *m.Op; op {
	case opHeartbeat:
		c.beat(m.D)
	case opIdentify:
		c.identify(m.D)
	case opResume:
		c.resume(m.D)
	case opPresence, opVoiceState, opRequestMembers, opRequestSoundboard:
		if c.ses == nil {
			c.shut(CloseNotAuthenticated)
			return
		}
		c.command(op, m.D)
	default:
		c.shut(CloseUnknownOpcode)
	}
}

// tooMany counts a message of the client.
func (c *gatewayConn) tooMany() bool {
	now := c.s.now()
	first := 0
	for first < len(c.sent) && now.Sub(c.sent[first]) >= sendWindow {
		first++
	}
	c.sent = append(c.sent[first:], now)
	return len(c.sent) > sendLimit && !c.s.opt.NoRateLimits
}

// beat answers a heartbeat. Source: events/gateway, "Heartbeat Interval".
func (c *gatewayConn) beat(d json.RawMessage) {
	var seq *int64
	if json.Unmarshal(d, &seq) != nil && len(d) > 0 {
		c.shut(CloseDecodeError)
		return
	}
	c.beatBy = time.Now().Add(2 * c.s.opt.HeartbeatInterval)
	if c.ses != nil {
		c.ses.beats++
		if seq != nil {
			c.ses.heard = *seq
		}
		c.s.change()
	}
	if !c.s.gw.faults.stallACK {
		c.send(opHeartbeatACK, nil)
	}
}
