package testpg

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

//go:embed keeper.sh
var keeperScript string

// base holds the folders of clusters. It is not the temporary folder of the
// process, because the path of a socket ends at 107 bytes and because the user
// postgres must be able to walk to it.
const base = "/tmp"

// debianPrograms is where Debian keeps the server, outside PATH, per version.
const debianPrograms = "/usr/lib/postgresql/*/bin"

// Cluster is a running PostgreSQL server with its own data folder. It lives
// until Stop or until the process that started it ends.
type Cluster struct {
	folder string
	keeper *exec.Cmd
	hold   *os.File // writing end of the keeper's input; the cluster ends with it
}

// Start brings up a cluster that accepts connections when Start returns, after a
// second or two. It needs the server's programs in PATH or where Debian puts
// them, and, for root, the system user postgres.
func Start() (*Cluster, error) {
	keeper, folder, err := prepare()
	if err != nil {
		return nil, err
	}
	hold, err := launch(keeper)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the cluster: %w", err), os.RemoveAll(folder))
	}
	return &Cluster{folder: folder, keeper: keeper, hold: hold}, nil
}

// DSN is the address of the cluster's own database, for a user with all rights.
func (c *Cluster) DSN() string {
	address := url.URL{
		Scheme:   "postgres",
		User:     url.User("postgres"),
		Path:     "/postgres",
		RawQuery: url.Values{"host": {c.folder}, "port": {"5432"}}.Encode(),
	}
	return address.String()
}

// Stop ends the server, cutting open connections, and returns when its folder is
// gone. It is called once.
func (c *Cluster) Stop() error {
	if err := c.hold.Close(); err != nil {
		return fmt.Errorf("let go of the cluster: %w", err)
	}
	if err := c.keeper.Wait(); err != nil {
		return fmt.Errorf("stop the cluster: %w", err)
	}
	return nil
}

// prepare makes the folder of a cluster and the command that will keep it.
func prepare() (keeper *exec.Cmd, folder string, err error) {
	programs, err := findPrograms(os.Getenv("PATH"), debianPrograms)
	if err != nil {
		return nil, "", err
	}
	attributes, owner, err := keeperProcess()
	if err != nil {
		return nil, "", err
	}
	folder, err = os.MkdirTemp(base, "parley-pg-")
	if err != nil {
		return nil, "", fmt.Errorf("make a folder for the cluster: %w", err)
	}
	if err := os.Chown(folder, owner.uid, owner.gid); err != nil {
		return nil, "", errors.Join(fmt.Errorf("give the folder to the server: %w", err), os.Remove(folder))
	}
	keeper = exec.Command("/bin/sh", "-c", keeperScript, "keeper", programs, folder)
	keeper.Dir = folder
	keeper.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	keeper.SysProcAttr = attributes
	return keeper, folder, nil
}

// launch starts the keeper and waits until it says ready. It returns the file
// that keeps the cluster alive while it is open.
func launch(keeper *exec.Cmd) (*os.File, error) {
	input, hold, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make the keeper's input: %w", err)
	}
	defer input.Close()
	output, report, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make the keeper's output: %w", err), hold.Close())
	}
	defer output.Close()

	keeper.Stdin, keeper.Stdout, keeper.Stderr = input, report, report
	err = keeper.Start()
	// The keeper has its own copy: with ours closed, reading ends when its does.
	report.Close()
	if err != nil {
		return nil, errors.Join(err, hold.Close())
	}
	said, err := io.ReadAll(output)
	if err == nil && bytes.HasSuffix(said, []byte("\nready\n")) {
		return hold, nil
	}
	err = errors.Join(err, hold.Close(), keeper.Wait())
	return nil, fmt.Errorf("the keeper gave up after saying %q: %w", said, err)
}

// account is a user and group of the system.
type account struct{ uid, gid int }

// keeperProcess says as whom and how the keeper runs. It gets a session of its
// own, so that an interrupt typed at the terminal or a kill of the process group
// ends the tests and leaves the keeper to clean up.
func keeperProcess() (*syscall.SysProcAttr, account, error) {
	attributes := &syscall.SysProcAttr{Setsid: true}
	if os.Geteuid() != 0 {
		return attributes, account{uid: os.Geteuid(), gid: os.Getegid()}, nil
	}
	postgres, err := user.Lookup("postgres")
	if err != nil {
		return nil, account{}, fmt.Errorf("find the user that runs the server, as root may not: %w", err)
	}
	uid, err := strconv.ParseUint(postgres.Uid, 10, 32)
	if err != nil {
		return nil, account{}, fmt.Errorf("read the user id of postgres: %w", err)
	}
	gid, err := strconv.ParseUint(postgres.Gid, 10, 32)
	if err != nil {
		return nil, account{}, fmt.Errorf("read the group id of postgres: %w", err)
	}
	attributes.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attributes, account{uid: int(uid), gid: int(gid)}, nil
}

// findPrograms returns the folder with initdb and pg_ctl: the first one in path,
// which lets a developer choose, or else the newest version that pattern finds.
func findPrograms(path, pattern string) (string, error) {
	folders, err := filepath.Glob(pattern)
	if err != nil {
		return "", fmt.Errorf("look for PostgreSQL: %w", err)
	}
	version := func(folder string) int {
		number, _ := strconv.Atoi(filepath.Base(filepath.Dir(folder))) // not a version: oldest
		return number
	}
	slices.SortFunc(folders, func(a, b string) int { return version(b) - version(a) })
	for _, folder := range append(filepath.SplitList(path), folders...) {
		if isProgram(filepath.Join(folder, "initdb")) && isProgram(filepath.Join(folder, "pg_ctl")) {
			return folder, nil
		}
	}
	return "", errors.New("PostgreSQL is not installed: `apt-get install postgresql` brings what the tests need")
}

// isProgram tells whether path is a file that somebody may execute.
func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}
