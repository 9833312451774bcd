package fedisim

// Line is one post of a thread.
type Line struct {
	By   *Account
	Text string
	Opts []PostOption
}

// Thread posts n posts of which each answers the one before it, line telling
// what the post of a number, counted from 0, is. It returns them in order.
//
//	s.Thread(500, func(i int) fedisim.Line { return fedisim.Line{By: ada, Text: fmt.Sprint("line ", i)} })
func (s *Server) Thread(n int, line func(i int) Line) []Post {
	posts := make([]Post, 0, n)
	for i := range n {
		l := line(i)
		opts := l.Opts
		if i > 0 {
			opts = append([]PostOption{ReplyTo(posts[i-1].ID)}, opts...)
		}
		posts = append(posts, l.By.Post(l.Text, opts...))
	}
	return posts
}
