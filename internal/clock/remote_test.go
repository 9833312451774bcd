package clock

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

func TestRemoteFollowsTheWorldsTime(t *testing.T) {
	var ahead atomic.Int64
	world := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, time.Now().Add(time.Duration(ahead.Load())).Format(time.RFC3339Nano))
	}))
	defer world.Close()
	ctx, cancel := context.WithCancel(t.Context())
	r, err := FollowRemote(ctx, world.URL)
	if err != nil {
		t.Fatal(err)
	}
	ready, stop := r.After(time.Hour)
	defer stop()
	ahead.Store(int64(2 * time.Hour))
	<-ready // wakes because the world's time jumped
	if got := time.Until(r.Now()); got < time.Hour {
		t.Errorf("the clock is only %v ahead", got)
	}
	cancel()
	<-r.Stopped()
}

func TestRemoteThatDoesNotAnswerIsAnError(t *testing.T) {
	junk := httptest.NewServer(http.NotFoundHandler())
	defer junk.Close()
	if _, err := FollowRemote(t.Context(), junk.URL); err == nil {
		t.Error("a 404 was taken for a time")
	}
}
