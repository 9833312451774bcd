package budget

import (
	"math/bits"
	"strconv"
	"strings"
)

// Money is an amount in millionths of the currency's unit.
type Money int64

// String is the amount in units, with two decimals and more if it has more:
// "1.50", "0.000123".
func (m Money) String() string {
	sign, n := "", uint64(m)
	if m < 0 {
		sign, n = "-", -n
	}
	decimals := strconv.FormatUint(1_000_000+n%1_000_000, 10)[1:]
	for len(decimals) > 2 && strings.HasSuffix(decimals, "0") {
		decimals = decimals[:len(decimals)-1]
	}
	return sign + strconv.FormatUint(n/1_000_000, 10) + "." + decimals
}

// Prices are what a million tokens cost.
type Prices struct {
	Prompt     Money // that the model is given
	Completion Money // that it answers
	Set        bool  // false: nobody knows, and money is not counted
}

// Tokens are what a model was given and what it answered.
type Tokens struct {
	Prompt, Completion int64
}

// What one answer may be said to have used at most: beyond every model, and
// small enough that no sum of a day overflows.
const (
	mostTokens = 1_000_000_000
	mostMoney  = 1_000_000_000_000_000
)

// sane is t within bounds: numbers of an endpoint are not to be trusted.
func (t Tokens) sane() Tokens {
	return Tokens{min(max(t.Prompt, 0), mostTokens), min(max(t.Completion, 0), mostTokens)}
}

func (t Tokens) plus(u Tokens) Tokens {
	return Tokens{t.Prompt + u.Prompt, t.Completion + u.Completion}.sane()
}

func (t Tokens) sum() int64 { return t.Prompt + t.Completion }

// cost is what tokens cost, rounded up to a millionth.
func (p Prices) cost(t Tokens) Money {
	if !p.Set {
		return 0
	}
	hi1, lo1 := bits.Mul64(uint64(t.Prompt), uint64(max(p.Prompt, 0)))
	hi2, lo2 := bits.Mul64(uint64(t.Completion), uint64(max(p.Completion, 0)))
	lo, carry := bits.Add64(lo1, lo2, 0)
	hi, over := bits.Add64(hi1, hi2, carry)
	lo, carry = bits.Add64(lo, 999_999, 0)
	hi += carry
	if over != 0 || hi >= 1_000_000 {
		return mostMoney
	}
	n, _ := bits.Div64(hi, lo, 1_000_000)
	return Money(min(n, mostMoney))
}

// Estimate is about how many tokens a text of so many characters has: four
// characters to one, rounded up. For endpoints that do not count.
func Estimate(chars int) int64 {
	if chars <= 0 {
		return 0
	}
	return (int64(chars)-1)/4 + 1
}
