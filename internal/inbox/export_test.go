package inbox

import (
	"io/fs"
	"testing/fstest"
)

func mapFS(sql string) fs.FS {
	return fstest.MapFS{"0001_init.sql": &fstest.MapFile{Data: []byte(sql)}}
}
