package media

import (
	"encoding/binary"
	"errors"
)

// upright is the orientation of a picture that is shown as it is stored.
const upright = 1

// readOrientation is how a picture is to be turned, 1 to 8, from the Exif data
// between two places (CIPA DC-008, a TIFF file); upright where they do not tell.
// 5 to 8 swap the sides.
func readOrientation(s *source, start, end int64) (int, error) {
	at := func(off int64, n int) ([]byte, error) {
		if off < start || off+int64(n) > end {
			return nil, errCut
		}
		return s.at(off, n)
	}
	head, err := at(start, 8)
	if err != nil {
		return upright, tolerant(err)
	}
	var order binary.ByteOrder = binary.BigEndian
	switch string(head[:4]) {
	case "MM\x00*":
	case "II*\x00":
		order = binary.LittleEndian
	default:
		return upright, nil
	}
	first := start + int64(order.Uint32(head[4:]))
	b, err := at(first, 2)
	if err != nil {
		return upright, tolerant(err)
	}
	for i := range int64(min(order.Uint16(b), 1000)) {
		b, err := at(first+2+12*i, 12)
		if err != nil {
			return upright, tolerant(err)
		}
		if order.Uint16(b) == 0x0112 && order.Uint16(b[2:]) == 3 {
			if o := int(order.Uint16(b[8:])); o >= 1 && o <= 8 {
				return o, nil
			}
			return upright, nil
		}
	}
	return upright, nil
}

// tolerant forgives data that end early: what they would have said is not known.
func tolerant(err error) error {
	if errors.Is(err, errCut) {
		return nil
	}
	return err
}

// exifOf are Exif data that tell how a picture is to be turned, and nothing else.
func exifOf(orientation int) []byte {
	b := []byte("MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00")
	b[19] = byte(orientation)
	return b
}

// swaps tells whether an orientation makes the height of the width.
func swaps(orientation int) bool { return orientation >= 5 }
