package importer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"rookery/internal/community"
)

// maxState is the most that is read of a file of giffer's, in bytes. Its state
// has 800 ids unless it was told to keep more.
const maxState = 8 << 20

// gifferState is what giffer has noted of its work.
type gifferState struct {
	lastSeen community.NotificationID // empty if it has seen none
	posts    []community.PostID       // that it has dealt with, the oldest first, each once
	unknown  []string                 // keys that nothing was made of
}

const (
	lastSeenKey  = "last_seen_notif_id"
	processedKey = "processed_status_ids"
)

// parseState reads giffer_state.json. Python has written the ids as numbers or
// as texts; here they are texts, of which nothing is known but that they are
// the server's.
func parseState(data []byte) (gifferState, error) {
	var s gifferState
	var top map[string]json.RawMessage
	if err := json.Unmarshal(data, &top); err != nil {
		return s, errors.New("it is not whole: giffer writes one JSON object; copy the file again while giffer is stopped")
	}
	last, hasLast := top[lastSeenKey]
	processed, hasProcessed := top[processedKey]
	if !hasLast && !hasProcessed {
		return s, fmt.Errorf("it has neither %s nor %s, so it is not giffer's state: give giffer_state.json", lastSeenKey, processedKey)
	}
	if hasLast {
		id, err := idOf(last)
		if err != nil {
			return s, fmt.Errorf("%s %w", lastSeenKey, err)
		}
		s.lastSeen = community.NotificationID(id)
	}
	if hasProcessed {
		var err error
		if s.posts, err = postsOf(processed); err != nil {
			return s, err
		}
	}
	for key := range top {
		if key != lastSeenKey && key != processedKey {
			s.unknown = append(s.unknown, printable(key))
		}
	}
	slices.Sort(s.unknown)
	if s.lastSeen == "" && len(s.posts) == 0 {
		return s, errors.New("giffer has noted nothing yet, so there is nothing to take over: Rookery begins with what comes from its first start on")
	}
	return s, nil
}

func postsOf(raw json.RawMessage) ([]community.PostID, error) {
	var all []json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, fmt.Errorf("%s is not a list: is this giffer's state, giffer_state.json?", processedKey)
	}
	var posts []community.PostID
	seen := map[string]bool{}
	for i, one := range all {
		id, err := idOf(one)
		if err != nil {
			return nil, fmt.Errorf("%s, entry %d, %w", processedKey, i+1, err)
		}
		if id != "" && !seen[id] {
			seen[id] = true
			posts = append(posts, community.PostID(id))
		}
	}
	return posts, nil
}

// maxID is longer than the ids of any server.
const maxID = 64

// idOf reads an id; null, 0 and an empty text are none.
func idOf(raw json.RawMessage) (string, error) {
	raw = bytes.TrimSpace(raw)
	var id string
	switch {
	case string(raw) == "null":
		return "", nil
	case raw[0] == '"':
		if err := json.Unmarshal(raw, &id); err != nil {
			return "", errors.New("is not an id")
		}
		id = strings.TrimSpace(id)
	default:
		id = string(raw) // the digits as they stand: a float would round them
		if strings.Trim(id, "0123456789") != "" {
			return "", errors.New("is not an id: the server's ids are whole numbers or texts. Copy the file again while giffer is stopped")
		}
	}
	if id == "0" {
		return "", nil
	}
	if len(id) > maxID || strings.ContainsFunc(id, func(r rune) bool { return !idRune(r) }) {
		return "", errors.New("is not an id as servers have them: letters, digits, - and _, at most 64. Copy the file again while giffer is stopped")
	}
	return id, nil
}

func idRune(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-' || r == '_'
}

// printable is a name from a file, fit for a line on a terminal.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
	const most = 60
	return s[:min(len(s), most)]
}
