package fedi

import (
	"time"

	"rookery/internal/community"
)

// AccountStatus is how one of our accounts is doing.
type AccountStatus struct {
	Name      string              // in the configuration
	ID        community.AccountID // empty before the first log-in
	Server    string              // base URL
	Handle    string              // user@host; empty before the first log-in
	Software  Software            // SoftwareUnknown before the first log-in
	Connected bool                // logged in, and served if this process is the one that polls
	Streaming bool                // its stream is open in this process
	LastPoll  time.Time           // the last one that went well in this process, by our clock; zero for none
	LastError string              // of the last look, empty when it went well
	Skew      time.Duration       // the server's clock minus ours, as last seen
	Self      community.Member    // as its server shows it; zero before the first log-in
}

// Status tells how each account is doing, in the order of the configuration.
func (f *Fedi) Status() []AccountStatus {
	all := make([]AccountStatus, 0, len(f.logins))
	for _, l := range f.logins {
		s := AccountStatus{Name: l.Name, Server: l.Server, Software: l.client.software()}
		s.Skew, _ = l.client.Skew()
		l.mu.Lock()
		s.ID, s.Self, s.Handle = l.id, l.self, l.self.Handle
		s.Connected, s.Streaming = l.id != "" && !l.doubted, l.streamUp
		s.LastPoll, s.LastError = l.lastPoll, l.lastError
		l.mu.Unlock()
		all = append(all, s)
	}
	return all
}
