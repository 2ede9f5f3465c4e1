/* SPDX-License-Identifier: Apache-2.0 */
/* What libelf's configure script would find out about glibc 2.17 and Clang. */
#define HAVE_DECL_MEMPCPY 1
#define HAVE_DECL_MEMRCHR 1
#define HAVE_DECL_POWEROF2 1
#define HAVE_DECL_RAWMEMCHR 1
#define HAVE_DECL_REALLOCARRAY 0
#define HAVE_ELF_H 1
#define HAVE_ERROR_H 1
#define HAVE_VISIBILITY 1

#include <eu-config.h>
