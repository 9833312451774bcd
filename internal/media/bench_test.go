package media

import (
	"image"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
)

// bigGIF is about 25 MB.
func bigGIF(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "big.gif")
	if err := os.WriteFile(path, noiseGIF(b, 800, 600, 39), 0o600); err != nil {
		b.Fatal(err)
	}
	runtime.GC()
	return path
}

// peak runs something and reports the most memory that this process held for
// its heap meanwhile, beyond what it held before.
func peak(b *testing.B, run func()) {
	b.Helper()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	var most atomic.Uint64
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		var now runtime.MemStats
		for {
			select {
			case <-stop:
				return
			default:
				runtime.ReadMemStats(&now)
				most.Store(max(most.Load(), now.HeapAlloc))
				runtime.Gosched()
			}
		}
	}()
	run()
	close(stop)
	<-done
	b.ReportMetric(float64(max(most.Load(), before.HeapAlloc)-before.HeapAlloc)/(1<<20), "MB-peak-heap")
}

func BenchmarkInspect(b *testing.B) {
	path := bigGIF(b)
	st, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(st.Size())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Inspect(path); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	peak(b, func() {
		if _, err := Inspect(path); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkMP4(b *testing.B) {
	k := realKit(b)
	path := bigGIF(b)
	info, err := Inspect(path)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size)
	peak(b, func() {
		for b.Loop() {
			out, err := k.MP4(b.Context(), File{Path: path, Info: info}, Limits{})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(out.Size)/(1<<20), "MB-made")
			if err := out.Remove(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkStillAlone is a picture of 12 megapixels without ffmpeg, where the
// heap of this process is what it takes.
func BenchmarkStillAlone(b *testing.B) {
	quiet := image.NewNRGBA(image.Rect(0, 0, 4000, 3000))
	for i := range quiet.Pix {
		quiet.Pix[i] = uint8(i >> 12)
	}
	for name, file := range map[string][]byte{"jpeg": asJPEG(b, quiet, ""), "png": asPNG(b, quiet)} {
		b.Run(name, func(b *testing.B) {
			k := setup(b, func(o *Options) { o.NoFFmpeg = true })
			f := put(b, k, file)
			peak(b, func() {
				for b.Loop() {
					for _, make := range []func() (File, error){
						func() (File, error) { return k.Still(b.Context(), f, 512, 100_000) },
						func() (File, error) { return k.Fit(b.Context(), f, Limits{ImagePixels: 8_000_000}) },
					} {
						out, err := make()
						if err != nil {
							b.Fatal(err)
						}
						if err := out.Remove(); err != nil {
							b.Fatal(err)
						}
					}
				}
			})
		})
	}
}
