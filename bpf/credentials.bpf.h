/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Credentials, remembered and compared.
 *
 * A map keeps the credentials that each process had when it was last looked at. Any difference is then judged by the
 * kernel's own rules (setuid(2), setresuid(2), capabilities(7), user_namespaces(7)): what the old credentials, or the
 * image just executed, permit is explained; what they do not permit was not done through a system call, which is how
 * a kernel exploit that writes over its credentials looks. The rules are closed under composition, so it does not
 * matter how many calls lie between two looks, and no system call has to be hooked. The idea of a shadow copy is
 * LKRG's (https://lkrg.org).
 *
 * real_cred is compared, not cred: override_creds() lends a task other credentials for a moment (overlayfs, nfsd).
 */
#ifndef PYLOADER_CREDENTIALS_BPF_H
#define PYLOADER_CREDENTIALS_BPF_H

#include "copies.bpf.h"
#include "task.bpf.h"

/* include/uapi/linux/capability.h */
#define CAP_SETGID (1ULL << 6)
#define CAP_SETUID (1ULL << 7)

/* include/uapi/linux/stat.h */
#define S_ISUID 0004000
#define S_ISGID 0002000

/*
 * Inside execve the new credentials are in force before the tracepoint tells of the new image. A difference seen by
 * the scheduler is therefore reported only when it is still unexplained after this time.
 */
#define EXEC_WINDOW_NS 2000000000ULL

struct credentials {
	const struct cred *object; /* where they were read; the kernel replaces the object at every change */
	__u64 permitted;
	__u64 effective;
	__u64 ambient;
	__u64 unexplained_since; /* boot-time clock; 0 if there is nothing to explain */
	__u32 uid, euid, suid;
	__u32 gid, egid, sgid;
	__u32 user_namespace;
};

/* Full tables count as loss of the records that cannot be produced any more. Entries go when the process exits. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, __u32);
	__type(value, struct credentials);
} credentials SEC(".maps");

enum moment {
	AT_EXEC,
	AT_FORK,
	AT_SWITCH,
};

static __always_inline void read_credentials(const struct cred *cred, struct credentials *now)
{
	now->object = cred;
	now->uid = BPF_CORE_READ(cred, uid.val);
	now->euid = BPF_CORE_READ(cred, euid.val);
	now->suid = BPF_CORE_READ(cred, suid.val);
	now->gid = BPF_CORE_READ(cred, gid.val);
	now->egid = BPF_CORE_READ(cred, egid.val);
	now->sgid = BPF_CORE_READ(cred, sgid.val);
	/* Until 6.3 kernel_cap_t was an array of two words; eight bytes from its beginning are right for both. */
	bpf_core_read(&now->permitted, sizeof(now->permitted), &cred->cap_permitted);
	bpf_core_read(&now->effective, sizeof(now->effective), &cred->cap_effective);
	bpf_core_read(&now->ambient, sizeof(now->ambient), &cred->cap_ambient);
	now->user_namespace = BPF_CORE_READ(cred, user_ns, ns.inum);
	now->unexplained_since = 0;
}

static __always_inline bool same_credentials(const struct credentials *a, const struct credentials *b)
{
	return a->uid == b->uid && a->euid == b->euid && a->suid == b->suid && a->gid == b->gid &&
	       a->egid == b->egid && a->sgid == b->sgid && a->permitted == b->permitted &&
	       a->effective == b->effective && a->user_namespace == b->user_namespace;
}

#define EXEC_GAINED (EXEC_SETUID | EXEC_SETGID | EXEC_FILE_CAPABILITIES)

/*
 * Adds to the flags what the image gave to the process. What it had just before is not known for certain, but the
 * result tells: a set-id image leaves real and effective id apart, and outside of root everything permitted beyond
 * the ambient set comes from the file (capabilities(7), "Transformation of capabilities during execve()").
 */
static __always_inline void gained_by_exec(const struct credentials *now, struct inode *image, volatile __u32 *flags)
{
	umode_t mode = BPF_CORE_READ(image, i_mode);

	if (mode & S_ISUID && now->euid == BPF_CORE_READ(image, i_uid.val) && now->euid != now->uid)
		*flags |= EXEC_SETUID;
	if (mode & S_ISGID && now->egid == BPF_CORE_READ(image, i_gid.val) && now->egid != now->gid)
		*flags |= EXEC_SETGID;
	if (now->uid && now->euid && now->permitted & ~now->ambient)
		*flags |= EXEC_FILE_CAPABILITIES;
}

static __always_inline bool uid_reachable(const struct credentials *old, __u32 uid)
{
	return old->permitted & CAP_SETUID || uid == old->uid || uid == old->euid || uid == old->suid;
}

static __always_inline bool gid_reachable(const struct credentials *old, __u32 gid)
{
	return old->permitted & CAP_SETGID || gid == old->gid || gid == old->egid || gid == old->sgid;
}

static __always_inline enum explanation explain(const struct credentials *old, const struct credentials *now,
						enum moment moment, __u32 flags)
{
	if (old->user_namespace != now->user_namespace)
		return EXPLAINED_BY_USER_NAMESPACE;
	/* An exec never changes the real ids; it sets effective and saved id together. */
	if (!uid_reachable(old, now->uid) || !gid_reachable(old, now->gid))
		return EXPLAINED_BY_NONE;
	if (!(flags & EXEC_SETUID) && (!uid_reachable(old, now->euid) || !uid_reachable(old, now->suid)))
		return EXPLAINED_BY_NONE;
	if (!(flags & EXEC_SETGID) && (!gid_reachable(old, now->egid) || !gid_reachable(old, now->sgid)))
		return EXPLAINED_BY_NONE;
	/* No call adds to the permitted set. */
	if (now->permitted & ~old->permitted && moment != AT_EXEC)
		return EXPLAINED_BY_NONE;
	return flags & EXEC_GAINED ? EXPLAINED_BY_EXEC : EXPLAINED_BY_SET_ID;
}

static __always_inline void report_change(void *context, struct task_struct *task, const struct credentials *old,
					  const struct credentials *now, enum explanation explanation)
{
	__u64 lane = lane_of(task);
	__u8 *at = reserve(lane, CREDENTIAL_CHANGE, CREDENTIAL_CHANGE_FIXED);

	if (!at) {
		lose_copies(lane);
		return;
	}

	struct credential_change record = {
		.timestamp = boot_time(),
		.pid = pid_of(task),
		.ppid = pid_of(parent_of(task)),
		.start = start_of(task),
		.explanation = explanation,
		.old_uid = old->uid,
		.old_euid = old->euid,
		.old_gid = old->gid,
		.old_capabilities = old->effective,
		.uid = now->uid,
		.euid = now->euid,
		.gid = now->gid,
		.capabilities = now->effective,
	};

	BPF_CORE_READ_INTO(&record.comm, task, group_leader, comm);
	put_credential_change(at, &record);
	give_copies(lane, at, CREDENTIAL_CHANGE_FIXED);
	submit(context, lane, CREDENTIAL_CHANGE, at, CREDENTIAL_CHANGE_FIXED);
}

static __always_inline void remember_credentials(struct task_struct *task, const struct credentials *now)
{
	__u32 pid = pid_of(task);

	if (bpf_map_update_elem(&credentials, &pid, now, BPF_ANY))
		count(lane_of(task), CREDENTIAL_CHANGE, false);
}

/* Compares the credentials of a task with those remembered, reports a difference and remembers them. */
static __always_inline void compare_credentials(void *context, struct task_struct *task, struct credentials *old,
						struct credentials *now, enum moment moment, __u32 flags)
{
	if (!old) {
		remember_credentials(task, now);
		return;
	}
	if (same_credentials(old, now)) {
		old->object = now->object;
		old->unexplained_since = 0;
		return;
	}

	enum explanation explanation = explain(old, now, moment, flags);

	if (explanation == EXPLAINED_BY_NONE && moment == AT_SWITCH) {
		__u64 time = boot_time();

		if (!old->unexplained_since)
			old->unexplained_since = time;
		if (time - old->unexplained_since < EXEC_WINDOW_NS)
			return;
	}
	report_change(context, task, old, now, explanation);
	*old = *now;
}

#endif
