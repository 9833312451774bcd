package backup

// FreeBytes is what the file system of a folder still has room for.
func FreeBytes(dir string) (int64, error) { return freeBytes(dir) }
