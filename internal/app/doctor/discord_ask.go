package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// discordBody bounds what is read of an answer.
const discordBody = 4 << 20

// mostWait bounds, in seconds, what is believed of a limit.
const mostWait = 7 * 24 * 60 * 60

// discordError is an answer that refuses. Source: reference, "Error Messages".
type discordError struct {
	path     string
	status   int
	code     int
	message  string
	discords bool          // it has the shape of Discord's own
	wait     time.Duration // for which a limit lasts; 0 if it does not say
}

// errNotDiscord is an answer by something else, like the page of a provider.
var errNotDiscord = errors.New("what answers there is not Discord")

func (e *discordError) Error() string {
	text := fmt.Sprintf("GET %s: %d %s", e.path, e.status, http.StatusText(e.status))
	if e.code != 0 {
		text += fmt.Sprintf(", code %d", e.code)
	}
	if e.message != "" {
		text += ": " + cut(oneLine(e.message), 300)
	}
	return text
}

// get asks the API, as the bot, for what is at a path; a refusal is a
// *discordError.
func (a *discordApp) get(ctx context.Context, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.API+path, http.NoBody)
	if err != nil {
		return fmt.Errorf("ask Discord for %s: %w", path, err)
	}
	req.Header.Set("Authorization", "Bot "+strings.TrimSpace(a.Token.Reveal()))
	// Others are shut out. Source: reference, "User Agent".
	req.Header.Set("User-Agent", "DiscordBot (https://rookery.invalid, "+a.Version+")")
	rs, err := a.client.Do(req)
	if err != nil {
		return fmt.Errorf("ask Discord for %s: %w", path, err)
	}
	defer rs.Body.Close()
	if at, err := http.ParseTime(rs.Header.Get("Date")); err == nil {
		a.skew, a.timed = a.Clock.Now().Sub(at), true
	}
	body, err := io.ReadAll(io.LimitReader(rs.Body, discordBody))
	if err != nil {
		return fmt.Errorf("read what Discord says of %s: %w", path, err)
	}
	if rs.StatusCode != http.StatusOK {
		e := &discordError{path: path, status: rs.StatusCode}
		var said struct {
			Code    int    `json:"code"`
			Message string `json:"message"`
		}
		if json.Unmarshal(body, &said) == nil { // else a page of what stands before the API
			e.code, e.message, e.discords = said.Code, said.Message, true
		}
		if n, err := strconv.Atoi(rs.Header.Get("Retry-After")); err == nil && n > 0 {
			e.wait = time.Duration(min(n, mostWait)) * time.Second
		}
		return e
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("read what Discord says of %s: %w: %w", path, errNotDiscord, err)
	}
	return nil
}
