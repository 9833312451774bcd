package fedisim

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// idMaker makes ids in the shape of one kind of server. It is guarded by the
// server's mutex.
type idMaker struct {
	profile Profile
	rng     *rand.Rand
	seq     uint64 // one per id made: keeps ids of one millisecond apart and in order
	serial  uint64 // notifications of Mastodon and Akkoma
	lastTid int64  // notifications of snac, microseconds
}

const (
	base36Digits    = "0123456789abcdefghijklmnopqrstuvwxyz"
	base62Digits    = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	crockfordDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

	flakeWorker = 0x7b1d3c5a9e42 // Akkoma's 48 bits that name the machine
	aidxEpoch   = 946684800000   // Misskey counts milliseconds from the year 2000
	aidxNode    = "9q3z"
)

// digits writes n in the base of the alphabet, padded to width.
func digits(n uint64, alphabet string, width int) string {
	b := make([]byte, width)
	base := uint64(len(alphabet))
	for i := width - 1; i >= 0; i-- {
		b[i] = alphabet[n%base]
		n /= base
	}
	return string(b)
}

func (m *idMaker) random(alphabet string, width int) string {
	b := make([]byte, width)
	for i := range b {
		b[i] = alphabet[m.rng.IntN(len(alphabet))]
	}
	return string(b)
}

// snowflake is Mastodon's: milliseconds, then 16 bits.
func (m *idMaker) snowflake(at time.Time) string {
	return strconv.FormatUint(uint64(at.UnixMilli())<<16|m.seq&0xffff, 10)
}

// flake is Akkoma's: 128 bits in base 62, 18 characters in our time.
func (m *idMaker) flake(at time.Time) string {
	n := new(big.Int).Lsh(big.NewInt(at.UnixMilli()), 64)
	low := new(big.Int).Lsh(big.NewInt(flakeWorker), 16)
	n.Or(n, low.Or(low, new(big.Int).SetUint64(m.seq&0xffff)))
	var b []byte
	base, digit := big.NewInt(62), new(big.Int)
	for n.Sign() > 0 {
		n.DivMod(n, base, digit)
		b = append(b, base62Digits[digit.Int64()])
	}
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}

// ulid is GoToSocial's. The count in the middle keeps ids of one millisecond in order.
func (m *idMaker) ulid(at time.Time) string {
	return digits(uint64(at.UnixMilli()), crockfordDigits, 10) + digits(m.seq, crockfordDigits, 6) + m.random(crockfordDigits, 10)
}

// aidx is Misskey's: time, machine, count.
func (m *idMaker) aidx(at time.Time) string {
	ms := max(at.UnixMilli()-aidxEpoch, 0)
	return digits(uint64(ms), base36Digits, 8) + aidxNode + digits(m.seq, base36Digits, 4)
}

func md5hex(s string) string {
	sum := md5.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

// status makes the id of a post written at a time; uri is used by snac alone,
// whose ids are ten digits of seconds and the MD5 of the URI.
func (m *idMaker) status(at time.Time, uri string) string {
	m.seq++
	switch m.profile {
	case Akkoma:
		return m.flake(at)
	case GoToSocial:
		return m.ulid(at)
	case Snac:
		return fmt.Sprintf("%010d%s", at.Unix(), md5hex(uri))
	case Sharkey:
		return m.aidx(at)
	default:
		return m.snowflake(at)
	}
}

// account makes an account's id. GoToSocial's are random, not in order of time.
func (m *idMaker) account(at time.Time, uri string) string {
	if m.profile == Snac {
		return md5hex(uri)
	}
	if m.profile == GoToSocial {
		return "01" + m.random(crockfordDigits, 24)
	}
	return m.status(at, uri)
}

// notification makes a notification's id: a database serial on Mastodon and
// Akkoma, the time in microseconds on snac.
func (m *idMaker) notification(at time.Time) string {
	switch m.profile {
	case Mastodon, Akkoma:
		m.serial++
		return strconv.FormatUint(m.serial, 10)
	case Snac:
		m.lastTid = max(m.lastTid+1, at.UnixMicro())
		return fmt.Sprintf("%016d", m.lastTid)
	default:
		return m.status(at, "")
	}
}

// remoteStatus makes the id that another server gave to its own post: never
// the id the post has here.
func (m *idMaker) remoteStatus(at time.Time, software Profile) string {
	m.seq++
	switch software {
	case Mastodon:
		return strconv.FormatUint(uint64(at.UnixMilli())<<16|uint64(m.rng.IntN(1<<16)), 10)
	case GoToSocial:
		return m.ulid(at)
	case Sharkey:
		return m.aidx(at)
	case Snac:
		return fmt.Sprintf("%d.%06d", at.Unix(), m.rng.IntN(1_000_000))
	default:
		return m.uuid()
	}
}

func (m *idMaker) uuid() string {
	h := m.random("0123456789abcdef", 32)
	return strings.Join([]string{h[:8], h[8:12], "4" + h[13:16], "a" + h[17:20], h[20:]}, "-")
}

// idLess orders ids as the databases do: numbers of any length, and words of one length.
func idLess(a, b string) bool {
	if len(a) != len(b) {
		return len(a) < len(b)
	}
	return a < b
}
