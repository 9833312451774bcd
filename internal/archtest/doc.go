// Package archtest guards how the project is cut: which package may import
// which, that nothing runs by itself at start (no init functions), and that
// every package says what it is for. It has tests only.
//
// The order of the packages is the table in order_test.go. It leaves style
// inside a package to the linter.
package archtest
