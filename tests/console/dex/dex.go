//go:build tools

// Package dex names the program that go.mod pins.
package dex

import _ "github.com/dexidp/dex/cmd/dex"
