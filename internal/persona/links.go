package persona

import (
	"context"
	"slices"
	"sync"
	"time"

	"rookery/internal/community"
)

// page is what is known of a linked page.
type page struct{ title, text string }

// Reader reads the title and the beginning of the text of a public web page.
type Reader func(ctx context.Context, address string) (title, text string, err error)

const (
	// maxPages are read for one answer: those of the question first, then
	// those of the newest posts above it.
	maxPages = 5
	// pagesTime is how long all of them together may take.
	pagesTime = 10 * time.Second
)

// readPages reads what the posts that the model may see link to. A page that
// cannot be read costs its own line and nothing else.
func (p *Persona) readPages(ctx context.Context, m community.Mention, above []community.Post, s setting) map[string]page {
	if p.ReadPage == nil {
		return nil
	}
	var addresses []string
	add := func(post community.Post) {
		for _, address := range post.Links {
			if len(addresses) < maxPages && !slices.Contains(addresses, address) {
				addresses = append(addresses, address)
			}
		}
	}
	add(m.Post)
	for _, post := range slices.Backward(above) {
		if post.Author.ID != s.self.ID && s.mayShare(post, m.Post.Author) {
			add(post)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, pagesTime)
	defer cancel()
	var (
		mu    sync.Mutex
		wg    sync.WaitGroup
		pages = map[string]page{}
	)
	for _, address := range addresses {
		wg.Go(func() {
			title, text, err := p.ReadPage(ctx, address)
			if err != nil {
				p.Log.Debug("a linked page is left out", "error", err)
				return
			}
			if title == "" && text == "" {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			pages[address] = page{title, text}
		})
	}
	wg.Wait()
	return pages
}
