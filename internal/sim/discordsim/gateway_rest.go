package discordsim

import "net/http"

// getGateway answers with the address to connect to. Source: events/gateway, "Get Gateway".
func (s *Server) getGateway(*request) *answer {
	return jsonAnswer(http.StatusOK, obj{"url": s.GatewayURL()})
}

// getGatewayBot adds how many shards are wise and how many sessions may still be
// begun. Source: events/gateway, "Get Gateway Bot".
func (s *Server) getGatewayBot(*request) *answer {
	guilds := 0
	for _, g := range s.order {
		if g.botIn {
			guilds++
		}
	}
	return jsonAnswer(http.StatusOK, obj{
		"url":                 s.GatewayURL(),
		"shards":              max(s.opt.Shards, (guilds+s.gw.shardSize-1)/s.gw.shardSize),
		"session_start_limit": s.startLimit(),
	})
}
