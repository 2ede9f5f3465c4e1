/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel types that the programs read, and of each only the fields they use.
 *
 * libbpf moves every access to the offset that the field has on the running kernel (CO-RE), so order and padding do
 * not matter here: the name and the kind of type do. The file serves x86-64 and arm64 alike. README.md says how to
 * add a field and how the tests check the declarations against real kernels.
 */
/* The name of the guard tells bpf_tracing.h to take the kernel's names of registers. */
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

typedef signed char __s8;
typedef unsigned char __u8;
typedef short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;
typedef int pid_t;
typedef unsigned int dev_t;
typedef unsigned short umode_t;

enum { false, true };

/* include/uapi/linux/bpf.h */
enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERF_EVENT_ARRAY = 4,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
	BPF_MAP_TYPE_RINGBUF = 27,
};

enum bpf_func_id {
	BPF_FUNC_ktime_get_boot_ns = 125,
	BPF_FUNC_get_current_task_btf = 158,
	BPF_FUNC_ktime_get_coarse_ns = 160,
	BPF_FUNC_task_pt_regs = 175,
	BPF_FUNC_get_func_arg = 183,
};

enum {
	BPF_F_CURRENT_CPU = 0xffffffffULL,
};

enum {
	BPF_RB_NO_WAKEUP = 1,
	BPF_RB_FORCE_WAKEUP = 2,
};

enum {
	BPF_RB_AVAIL_DATA = 0,
	BPF_RB_RING_SIZE = 1,
};

enum {
	BPF_ANY = 0,
	BPF_NOEXIST = 1,
	BPF_EXIST = 2,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/*
 * Registers, at a probe and of a process in a system call: arch/x86/include/asm/ptrace.h,
 * arch/arm64/include/asm/ptrace.h and arch/arm64/include/uapi/asm/ptrace.h
 */

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long r10;
	unsigned long r9;
	unsigned long r8;
	unsigned long ax;
	unsigned long cx;
	unsigned long dx;
	unsigned long si;
	unsigned long di;
	unsigned long orig_ax;
	unsigned long ip;
	unsigned long sp;
};
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
	unsigned long long regs[31];
	unsigned long long sp;
	unsigned long long pc;
};
struct pt_regs {
	__u64 orig_x0;
	__s32 syscallno;
};
#endif

struct list_head {
	struct list_head *next, *prev;
};

struct hlist_node {
	struct hlist_node *next;
};

struct hlist_head {
	struct hlist_node *first;
};

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	__s64 counter;
} atomic64_t;

/* Credentials: include/linux/cred.h, uidgid_types.h, capability.h, ns_common.h */

typedef struct {
	__u32 val;
} kuid_t;

typedef struct {
	__u32 val;
} kgid_t;

typedef struct {
	__u64 val;
} kernel_cap_t;

struct ns_common {
	__u32 inum;
};

struct user_namespace {
	struct ns_common ns;
};

struct cred {
	kuid_t uid;
	kgid_t gid;
	kuid_t suid;
	kgid_t sgid;
	kuid_t euid;
	kgid_t egid;
	kernel_cap_t cap_permitted;
	kernel_cap_t cap_effective;
	kernel_cap_t cap_ambient;
	struct user_namespace *user_ns;
};

/* Namespaces and process ids: include/linux/nsproxy.h, pid.h, fs/mount.h */

/* Which process has an id: include/linux/idr.h, xarray.h */

struct xarray {
	void *xa_head;
};

struct xa_node {
	unsigned char shift;
	void *slots[64];
};

struct idr {
	struct xarray idr_rt;
	unsigned int idr_base;
};

struct pid_namespace {
	struct ns_common ns;
	struct idr idr;
};

struct mnt_namespace {
	struct ns_common ns;
};

struct net {
	struct ns_common ns;
};

struct nsproxy {
	struct mnt_namespace *mnt_ns;
	struct net *net_ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

enum pid_type {
	PIDTYPE_PID,
	PIDTYPE_TGID,
	PIDTYPE_PGID,
	PIDTYPE_SID,
	PIDTYPE_MAX,
};

struct pid {
	unsigned int level;
	struct hlist_head tasks[PIDTYPE_MAX];
	struct upid numbers[1];
};

/* Files and paths: include/linux/fs.h, dcache.h, mount.h, fs/mount.h, fdtable.h, net.h */

struct super_block {
	dev_t s_dev;
	unsigned long s_magic;
};

struct address_space {
	atomic_t i_mmap_writable;
};

struct inode {
	umode_t i_mode;
	kuid_t i_uid;
	kgid_t i_gid;
	struct super_block *i_sb;
	unsigned long i_ino;
	unsigned int i_nlink;
	struct address_space *i_mapping;
};

/* fs/proc/internal.h */
struct proc_inode {
	struct pid *pid;
	struct inode vfs_inode;
};

struct qstr {
	__u32 len;
	const unsigned char *name;
};

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
};

struct vfsmount {
	struct dentry *mnt_root;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	unsigned int f_mode;
	__s64 f_pos;
	struct path f_path;
	struct inode *f_inode;
	void *private_data;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

/* Sockets: include/net/sock.h, net_namespace.h, inet_sock.h, include/linux/tcp.h, socket.h, include/uapi/linux/in6.h */

typedef struct {
	struct net *net;
} possible_net_t;

/* Always taken whole. */
struct in6_addr {
};

struct sock_common {
	unsigned short skc_family;
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	unsigned long skc_flags;
	unsigned char skc_state;
};

struct sock {
	struct sock_common __sk_common;
	__u16 sk_type;
	__u16 sk_protocol;
	int sk_err;
	__u32 sk_max_ack_backlog;
};

struct inet_sock {
	__be16 inet_sport;
};

struct tcp_sock {
	__u64 bytes_received;
	__u64 bytes_sent;
	__u64 bytes_retrans;
};

struct socket {
	struct sock *sk;
};

/* What a route is searched for: include/net/flow.h */

struct flowi_common {
	int flowic_iif;
	__u8 flowic_proto;
};

union flowi_uli {
	struct {
		__be16 dport;
		__be16 sport;
	} ports;
};

struct flowi4 {
	struct flowi_common __fl_common;
	__be32 saddr;
	__be32 daddr;
	union flowi_uli uli;
};

struct flowi6 {
	struct flowi_common __fl_common;
	struct in6_addr daddr;
	union flowi_uli uli;
};

struct msghdr {
	void *msg_name;
	int msg_namelen;
};

/*
 * Memory: include/linux/mm_types.h, rbtree.h, maple_tree.h. Until Linux 6.0 the areas of a process stand in a red-black
 * tree and its pages are counted in rss_stat.count, since 6.1 in a maple tree, and since 6.2 in percpu counters. The
 * part behind the three underscores is not compared (CO-RE).
 */

struct rb_node {
	struct rb_node *rb_right;
	struct rb_node *rb_left;
};

struct rb_root {
	struct rb_node *rb_node;
};

struct maple_tree {
	void *ma_root;
};

struct maple_range_64 {
	unsigned long pivot[15];
	void *slot[16];
};

struct maple_arange_64 {
	unsigned long pivot[9];
	void *slot[10];
};

struct anon_vma;
struct vm_operations_struct;

struct vm_area_struct {
	unsigned long vm_start;
	unsigned long vm_end;
	unsigned long vm_flags;
	struct anon_vma *anon_vma;
	const struct vm_operations_struct *vm_ops;
	struct file *vm_file;
};

struct vm_area_struct___in_rb {
	struct rb_node vm_rb;
};

struct percpu_counter {
	__s64 count;
};

enum {
	MM_FILEPAGES,
	MM_ANONPAGES,
	MM_SWAPENTS,
	MM_SHMEMPAGES,
	NR_MM_COUNTERS
};

struct mm_rss_stat {
	atomic64_t count[NR_MM_COUNTERS];
};

struct mm_struct {
	struct maple_tree mm_mt;
	unsigned long total_vm;
	unsigned long hiwater_rss;
	unsigned long start_brk;
	unsigned long brk;
	unsigned long start_stack;
	unsigned long arg_start;
	unsigned long arg_end;
	struct file *exe_file;
	struct percpu_counter rss_stat[NR_MM_COUNTERS];
};

struct mm_struct___with_rb {
	struct rb_root mm_rb;
};

struct mm_struct___with_rss_stat {
	struct mm_rss_stat rss_stat;
};

/* Control groups of memory: include/linux/cgroup-defs.h, memcontrol.h, page_counter.h */

enum cgroup_subsys_id {
	memory_cgrp_id = 4,
};

struct kernfs_node {
	__u64 id;
};

struct cgroup {
	struct kernfs_node *kn;
};

struct cgroup_subsys_state;

struct css_set {
	struct cgroup_subsys_state *subsys[5];
	struct cgroup *dfl_cgrp;
};

struct page_counter {
	atomic64_t usage;
	unsigned long max;
	struct page_counter *parent;
};

struct mem_cgroup {
	struct page_counter memory;
};

/* Tasks: include/linux/sched.h, sched/signal.h, arch/x86/include/asm/processor.h, arch/arm64/include/asm/processor.h */

struct completion;

struct signal_struct {
	atomic_t live;
	int nr_threads;
	int group_exit_code;
	unsigned int flags;
	struct pid *pids[PIDTYPE_MAX];
	unsigned long min_flt;
	unsigned long maj_flt;
	unsigned long maxrss;
	short oom_score_adj;
};

#if defined(__TARGET_ARCH_x86)
struct thread_info {
	__u32 status;
};

struct thread_struct {
	unsigned long fsbase;
	unsigned long cr2;
};
#elif defined(__TARGET_ARCH_arm64)
struct thread_info {
	unsigned long flags;
};

struct thread_struct {
	struct {
		unsigned long tp_value;
	} uw;
	unsigned long fault_address;
};
#endif

struct task_struct {
	struct thread_info thread_info;
	void *stack;
	unsigned int flags;
	unsigned int personality;
	int exit_code;
	pid_t pid;
	pid_t tgid;
	struct task_struct *real_parent;
	struct list_head children;
	struct list_head sibling;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	struct hlist_node pid_links[PIDTYPE_MAX];
	struct completion *vfork_done;
	unsigned long min_flt;
	unsigned long maj_flt;
	__u64 start_boottime;
	const struct cred *real_cred;
	char comm[16];
	struct files_struct *files;
	struct nsproxy *nsproxy;
	struct signal_struct *signal;
	unsigned long sas_ss_sp;
	__u64 sas_ss_size;
	struct css_set *cgroups;
	struct mm_struct *mm;
	struct thread_struct thread;
};

/* Signals: include/linux/signal_types.h, include/uapi/asm-generic/siginfo.h */

struct kernel_siginfo {
	int si_code;
	union {
		struct {
			void *_addr;
		} _sigfault;
	} _sifields;
};

struct sigaction {
	void *sa_handler;
};

struct k_sigaction {
	struct sigaction sa;
};

struct linux_binprm {
	const char *filename;
	const char *interp;
};

/* Contexts of plain tracepoints: include/trace/events/sched.h, syscalls.h, signal.h, oom.h, sock.h, tcp.h, fib.h, fib6.h */

struct trace_event_raw_sched_process_exec {
	__u32 __data_loc_filename;
};

struct trace_event_raw_sched_process_fork {
	pid_t child_pid;
};

struct trace_event_raw_sys_exit {
	long ret;
};

struct trace_event_raw_signal_deliver {
	int sig;
	int code;
	unsigned long sa_handler;
};

struct trace_event_raw_mark_victim {
	int pid;
	unsigned long anon_rss;
};

struct trace_event_raw_inet_sock_set_state {
	const void *skaddr;
	int oldstate;
	int newstate;
};

struct trace_event_raw_tcp_event_sk {
	const void *skaddr;
};

struct trace_event_raw_fib_table_lookup {
	int err;
	int iif;
	__u8 proto;
	__u8 src[4];
	__u8 dst[4];
	__u16 sport;
	__u16 dport;
};

struct trace_event_raw_fib6_table_lookup {
	int err;
	int iif;
	__u8 src[16];
	__u8 dst[16];
	__u16 sport;
	__u16 dport;
	__u8 proto;
};

#pragma clang attribute pop

#endif
