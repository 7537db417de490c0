/* SPDX-License-Identifier: Apache-2.0
 *
 * full_disk.c -- a small file system of its own, to fill it for real.
 *
 * The room is taken by one file, `ballast`.  It is written, not just allocated: on ext4 and tmpfs
 * alike the last byte is gone then.
 */
#include "full_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "files.h"

struct job {
    enum full_disk_kind kind;
    size_t bytes;
    int (*body)(void *context, const char *directory, char text[GUARD_TEXT]);
    void *context;
    char temp[FILES_PATH];
};

static bool write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0)
        close(fd);
    return done;
}

/* A mount namespace; for others than root within a user namespace in which we are root. */
static bool own_mounts(void)
{
    char uids[60], gids[60];
    snprintf(uids, sizeof uids, "0 %u 1", (unsigned)getuid());
    snprintf(gids, sizeof gids, "0 %u 1", (unsigned)getgid());
    if (unshare(CLONE_NEWNS) != 0 &&
        (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0 || !write_text("/proc/self/uid_map", uids) ||
         !write_text("/proc/self/setgroups", "deny") || !write_text("/proc/self/gid_map", gids)))
        return false;
    return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static bool mount_ext4(const struct job *job, const char *directory)
{
    char image[FILES_PATH + 8], command[3 * FILES_PATH + 100];
    snprintf(image, sizeof image, "%s/image", job->temp);
    int fd = open(image, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bool made = fd >= 0 && ftruncate(fd, (off_t)job->bytes) == 0;
    if (fd >= 0)
        close(fd);
    snprintf(command, sizeof command,
             "{ mkfs.ext4 -q -F -m 0 %s && mount -o loop %s %s; } >/dev/null 2>&1", image, image,
             directory);
    return made && system(command) == 0;
}

static int run_body(void *context, char text[GUARD_TEXT])
{
    struct job *job = context;
    char directory[FILES_PATH + 8], options[40];
    snprintf(directory, sizeof directory, "%s/disk", job->temp);
    snprintf(options, sizeof options, "size=%zu", job->bytes);
    bool mounted = own_mounts();
    if (mounted)
        mounted = job->kind == FULL_DISK_EXT4
                      ? mount_ext4(job, directory)
                      : mount("varve-test", directory, "tmpfs", 0, options) == 0;
    if (!mounted) {
        snprintf(text, GUARD_TEXT, "cannot mount a file system here: %s", strerror(errno));
        return FULL_DISK_SKIPPED;
    }
    int answer = job->body(job->context, directory, text);
    umount2(directory, MNT_DETACH);
    return answer;
}

int full_disk_run(enum full_disk_kind kind, size_t bytes,
                  int (*body)(void *context, const char *directory, char text[GUARD_TEXT]),
                  void *context, char text[GUARD_TEXT])
{
    struct job job = {.kind = kind, .bytes = bytes, .body = body, .context = context};
    char directory[FILES_PATH + 8];
    files_temp(job.temp, "disk");
    snprintf(directory, sizeof directory, "%s/disk", job.temp);
    if (access(directory, F_OK) != 0 && mkdir(directory, 0700) != 0)
        abort();
    int answer = guard_run(run_body, &job, 120, 0, text);
    files_remove(job.temp);
    return answer;
}

static void ballast_name(char path[FILES_PATH], const char *directory)
{
    if (snprintf(path, FILES_PATH, "%s/ballast", directory) >= FILES_PATH)
        abort();
}

static size_t room(const char *directory)
{
    struct statvfs st;
    return statvfs(directory, &st) == 0 ? (size_t)st.f_bavail * st.f_bsize : 0;
}

void full_disk_fill(const char *directory, size_t leave)
{
    static const char bytes[4096];
    char path[FILES_PATH];
    ballast_name(path, directory);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    for (int step = 0; room(directory) > leave; step++) {
        size_t size =
            room(directory) - leave < sizeof bytes ? room(directory) - leave : sizeof bytes;
        if (write(fd, bytes, size) <= 0)
            break;
        if (step % 64 == 0) /* delayed allocation: what is promised counts only now */
            fsync(fd);
    }
    close(fd);
}

void full_disk_release(const char *directory)
{
    char path[FILES_PATH];
    ballast_name(path, directory);
    unlink(path);
}
