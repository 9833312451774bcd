package discordsim

import "testing"

// say lets somebody write, which must be allowed.
func say(t *testing.T, s *Server, user, channel, text string) string {
	t.Helper()
	id, err := s.Say(user, channel, Draft{Content: text})
	if err != nil {
		t.Fatal(err)
	}
	return id
}
