package media

import (
	"encoding/binary"
	"errors"
	"time"
)

// readGIF walks the blocks to the end, https://www.w3.org/Graphics/GIF/spec-gif89a.txt.
// Decoders differ on a frame that reaches over the canvas: the larger counts,
// so that a small canvas cannot hide a large picture.
func readGIF(s *source, info *Info) error {
	b, err := s.at(6, 7)
	if err != nil {
		return err
	}
	info.Width, info.Height = int(binary.LittleEndian.Uint16(b)), int(binary.LittleEndian.Uint16(b[2:]))
	off := 13 + colours(b[4])
	var delay time.Duration // of the frame to come
	for {
		kind, err := s.byte(off)
		if errors.Is(err, errCut) && info.Frames > 0 {
			break // without its trailer, as many programs leave it
		}
		if err != nil {
			return err
		}
		switch kind {
		case 0x21: // extension
			b, err := s.at(off+1, 2)
			if err != nil {
				return err
			}
			if b[0] == 0xf9 && b[1] >= 4 { // graphic control
				if b, err = s.at(off+3, 4); err != nil {
					return err
				}
				delay = frameDelay(binary.LittleEndian.Uint16(b[1:]))
			}
			if off, err = subBlocks(s, off+2); err != nil {
				return err
			}
		case 0x2c: // image
			b, err := s.at(off+1, 9)
			if err != nil {
				return err
			}
			left, top := int(binary.LittleEndian.Uint16(b)), int(binary.LittleEndian.Uint16(b[2:]))
			w, h := int(binary.LittleEndian.Uint16(b[4:])), int(binary.LittleEndian.Uint16(b[6:]))
			// The table of colours, and a byte with the size of the codes.
			if off, err = subBlocks(s, off+10+colours(b[8])+1); err != nil {
				return err
			}
			if w > 0 && h > 0 {
				info.Frames++
				info.Width, info.Height = max(info.Width, left+w), max(info.Height, top+h)
				info.stay(delay)
			}
			delay = frameDelay(0)
		case 0x00: // padding between blocks
			off++
		case 0x3b: // trailer
			return gifDone(info)
		default:
			if info.Frames > 0 { // rubbish behind the last frame
				return gifDone(info)
			}
			return fault("it has an unknown block")
		}
	}
	return gifDone(info)
}

func gifDone(info *Info) error {
	if info.Frames == 0 {
		return fault("it has no frame")
	}
	if info.Animated = info.Frames > 1; !info.Animated {
		info.Duration = 0
	}
	return nil
}

// colours is the length of a colour table, from the flags before it.
func colours(flags byte) int64 {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (flags&7 + 1)
}

// frameDelay is how long a frame stays: browsers and ffmpeg give a tenth of a
// second to those that ask for less than two hundredths.
func frameDelay(hundredths uint16) time.Duration {
	if hundredths < 2 {
		hundredths = 10
	}
	return time.Duration(hundredths) * 10 * time.Millisecond
}

// subBlocks returns the place behind a chain of sub-blocks.
func subBlocks(s *source, off int64) (int64, error) {
	for {
		n, err := s.byte(off)
		if err != nil {
			return 0, err
		}
		off += 1 + int64(n)
		if n == 0 {
			return off, nil
		}
	}
}
