package words

// Small parts of sentences.
const (
	CommonDays  Key = "common.days"  // {n}; see Days
	CommonHours Key = "common.hours" // {n}; see Hours
)
