/* SPDX-License-Identifier: Apache-2.0
 *
 * driver.c -- replays inputs through a fuzz target without a fuzzer.
 *
 * Each argument is a file or a directory of files; the target runs on each
 * file once.  Without arguments fuzz_<thing> replays tests/fuzz/corpus/<thing>
 * in the source tree that VARVE_SRC names.  A target that finds something wrong
 * aborts; otherwise the last line says how many inputs there were.  No input at
 * all is a failure too.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t inputs;

static void die(const char *path)
{
    fprintf(stderr, "%s: %s\n", path, strerror(errno));
    exit(1);
}

static void run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        die(path);
    const long size = ftell(file);
    uint8_t *data = malloc(size > 0 ? (size_t)size : 1);
    rewind(file);
    if (size < 0 || !data || fread(data, 1, (size_t)size, file) != (size_t)size)
        die(path);
    fclose(file);
    LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
    inputs++;
}

static void run_directory(const char *path, DIR *directory)
{
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char name[4096];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        run_file(name);
    }
}

static void run(const char *path)
{
    DIR *directory = opendir(path);
    if (directory) {
        run_directory(path, directory);
        closedir(directory);
    } else if (errno == ENOTDIR) {
        run_file(path);
    } else {
        die(path);
    }
}

static void run_corpus(const char *program)
{
    char path[4096];
    const char *root = getenv("VARVE_SRC");
    const char *thing = strstr(program, "fuzz_");
    for (const char *later = thing; later; later = strstr(later + 1, "fuzz_"))
        thing = later;
    snprintf(path, sizeof path, "%s/tests/fuzz/corpus/%s", root ? root : ".",
             thing ? thing + strlen("fuzz_") : program);
    run(path);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        run(argv[i]);
    if (argc == 1)
        run_corpus(argv[0]);
    printf("%zu inputs\n", inputs);
    return inputs == 0;
}
