/* A disk that fails. Loaded before a server (LD_PRELOAD): while the file is there that FAILING_WRITES names, no write to
 * a file is taken, and while that of FAILING_SYNCS is there, none is made safe: both fail with EIO. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static int fails(const char *variable, int fd) {
    struct stat status;
    const char *path = getenv(variable);
    if (path == NULL || syscall(SYS_access, path, F_OK) != 0)
        return 0;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        return 0; /* a socket, or the log */
    errno = EIO;
    return 1;
}

ssize_t write(int fd, const void *bytes, size_t count) {
    return fails("FAILING_WRITES", fd) ? -1 : syscall(SYS_write, fd, bytes, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
    return fails("FAILING_WRITES", fd) ? -1 : syscall(SYS_pwrite64, fd, bytes, count, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
    return fails("FAILING_WRITES", fd) ? -1 : syscall(SYS_pwrite64, fd, bytes, count, at);
}

int fsync(int fd) {
    return fails("FAILING_SYNCS", fd) ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd) {
    return fails("FAILING_SYNCS", fd) ? -1 : (int)syscall(SYS_fdatasync, fd);
}
