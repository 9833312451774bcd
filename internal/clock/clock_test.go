package clock

import (
	"testing"
	"time"
)

func TestManualWakesOnlyWhoseTimeHasCome(t *testing.T) {
	m := NewManual(time.Unix(1000, 0))
	soon, stopSoon := m.After(time.Second)
	late, stopLate := m.After(time.Minute)
	defer stopSoon()
	m.Advance(2 * time.Second)
	select {
	case <-soon:
	default:
		t.Error("the one second sleeper still sleeps after two seconds")
	}
	select {
	case <-late:
		t.Error("the one minute sleeper woke after two seconds")
	default:
	}
	stopLate()
	stopLate()
	m.Advance(time.Hour)
	select {
	case <-late:
		t.Error("a stopped sleeper woke")
	default:
	}
	if got, want := m.Now(), time.Unix(1000, 0).Add(time.Hour+2*time.Second); !got.Equal(want) {
		t.Errorf("now = %v, want %v", got, want)
	}
}

func TestAfterNothingIsReadyAtOnce(t *testing.T) {
	for _, c := range []Clock{System{}, NewManual(time.Unix(0, 0))} {
		ready, stop := c.After(0)
		<-ready
		stop()
	}
}
