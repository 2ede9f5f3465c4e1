/* A system call whose code can be copied anywhere, and a call on a stack that can lie anywhere. */
#ifndef KERNEL_CALL_H
#define KERNEL_CALL_H

/* The code from call_kernel to call_kernel_end stands alone. The kernel sees call_kernel_return as its caller. */
typedef long kernel_call(long number, ...);
extern long call_kernel(long number, ...);
extern const char call_kernel_return[], call_kernel_end[];

#define CALL_KERNEL_SIZE ((size_t)(call_kernel_end - (const char *)call_kernel))

extern void call_on(void *stack_top, void (*function)(void));

#if defined(__x86_64__)
asm(".pushsection .text\n"
    "call_kernel:\n"
    "	mov %rdi, %rax\n"
    "	mov %rsi, %rdi\n"
    "	mov %rdx, %rsi\n"
    "	mov %rcx, %rdx\n"
    "	mov %r8, %r10\n"
    "	mov %r9, %r8\n"
    "	mov 8(%rsp), %r9\n"
    "	syscall\n"
    "call_kernel_return:\n"
    "	ret\n"
    "call_kernel_end:\n"
    "call_on:\n"
    "	push %rbp\n"
    "	mov %rsp, %rbp\n"
    "	mov %rdi, %rsp\n"
    "	call *%rsi\n"
    "	mov %rbp, %rsp\n"
    "	pop %rbp\n"
    "	ret\n"
    ".popsection");
#elif defined(__aarch64__)
asm(".pushsection .text\n"
    "call_kernel:\n"
    "	mov x8, x0\n"
    "	mov x0, x1\n"
    "	mov x1, x2\n"
    "	mov x2, x3\n"
    "	mov x3, x4\n"
    "	mov x4, x5\n"
    "	mov x5, x6\n"
    "	svc #0\n"
    "call_kernel_return:\n"
    "	ret\n"
    "call_kernel_end:\n"
    "call_on:\n"
    "	stp x29, x30, [sp, #-16]!\n"
    "	mov x29, sp\n"
    "	mov sp, x0\n"
    "	blr x1\n"
    "	mov sp, x29\n"
    "	ldp x29, x30, [sp], #16\n"
    "	ret\n"
    ".popsection");
#endif

#endif
