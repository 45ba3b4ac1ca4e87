/* SPDX-License-Identifier: MIT */
/* docs/service-abi.md, calls 8 to 15. */
#include "manage.h"

#include <stdio.h>
#include <string.h>

#include "arch/hart.h"
#include "board_io.h"
#include "console.h"
#include "loader.h"
#include "log.h"
#include "pages.h"
#include "roles.h"
#include "scheduler.h"
#include "service_abi.h"

/* Where the caller wants at most `len` bytes, of which at most `most` are of use. */
static bool buffer(const struct vcpu *vcpu, uint64_t at, uint64_t *len, uint64_t most, char **out)
{
	hpa_t host;

	if (*len > most)
		*len = most;
	if (!capsule_memory(vcpu->capsule, gpa(at), *len, &host))
		return false;
	*out = hpa_ptr(host);
	return true;
}

/* A structure, or as much of it as the caller has room for. */
static struct sbi_result give(const struct vcpu *vcpu, uint64_t at, uint64_t len, const void *what, uint64_t size)
{
	char *out;

	if (!buffer(vcpu, at, &len, size, &out))
		return sbi_error(SBI_ERR_INVALID_ADDRESS);
	memcpy(out, what, len);
	return sbi_value(len);
}

/* --- the log -------------------------------------------------------------------------------- */

struct sbi_result manage_log_read(struct vcpu *vcpu, const uint64_t *a)
{
	uint64_t from = a[0], len = a[2], done = 0;
	struct diosix_log_line line;
	char text[LOG_LINE_LEN], *out;

	if (!buffer(vcpu, a[1], &len, DIOSIX_BATCH_LEN, &out))
		return sbi_error(SBI_ERR_INVALID_ADDRESS);
	/* Whole lines only; each takes at least its header, so there are not many. */
	while (log_get(from, &line, text) && done + sizeof(line) + line.len <= len) {
		memcpy(out + done, &line, sizeof(line));
		memcpy(out + done + sizeof(line), text, line.len);
		done = align_up(done + sizeof(line) + line.len, 8);
		from = line.sequence + 1;
	}
	console_log_read(vcpu->capsule, from);
	return sbi_value(done < len ? done : len);
}

/* --- the board ------------------------------------------------------------------------------- */

/* The word after "diosix.terminal=" of the board's own command line. */
static void find_terminal(char *out, size_t size)
{
	static const char key[] = "diosix.terminal=";
	const char *word = strstr(board.bootargs, key);
	size_t len;

	if (word == NULL || (word != board.bootargs && word[-1] != ' '))
		return;
	word += sizeof(key) - 1;
	len = strcspn(word, " ");
	memcpy(out, word, len < size ? len : size - 1);
}

struct sbi_result manage_board_info(struct vcpu *vcpu, const uint64_t *a)
{
	struct diosix_board_info info = {
		.size = sizeof(info),
		.harts = hart_count,
		.isolation = arch_features.gstage ? DIOSIX_GSTAGE : DIOSIX_PMP,
		.capsules = capsule_count,
		.timebase_hz = board.timebase_hz,
		.free = pages_available() * PAGE_SIZE,
		.has_control = board_has_control(),
		.focus = console_focus(),
	};

	for (uint32_t i = 0; i < board.ram_count; i++)
		info.ram += board.ram[i].size;
	snprintf(info.board, sizeof(info.board), "%s", board.model);
	snprintf(info.hypervisor, sizeof(info.hypervisor), "%s", DIOSIX_VERSION);
	find_terminal(info.terminal, sizeof(info.terminal));
	loader_describe(&info);
	return give(vcpu, a[0], a[1], &info, sizeof(info));
}

/* --- capsules -------------------------------------------------------------------------------- */

static struct capsule *find(uint64_t index)
{
	return index < capsule_count ? &capsules[index] : NULL;
}

struct sbi_result manage_capsule_info(struct vcpu *vcpu, const uint64_t *a)
{
	const struct capsule *capsule = find(a[0]);
	struct diosix_capsule_info info = {.size = sizeof(info)};
	const struct dmfs_capsule *config;

	if (capsule == NULL)
		return sbi_error(SBI_ERR_BAD_RANGE);
	config = &capsule->config;
	info.index = capsule->index;
	info.state = atomic_load(&capsule->state);
	info.handle = info.state == CAPSULE_RUNNING ? capsule_handle(capsule) : 0;
	snprintf(info.name, sizeof(info.name), "%s", capsule->name);
	info.kind = config->kind;
	info.cpus = config->cpus;
	info.priority = config->priority;
	info.restart = config->restart;
	info.cpu_limit = config->cpu_limit;
	info.last_end = capsule->stop_reason;
	info.roles = roles_of(capsule);
	info.memory = config->memory;
	info.affinity = config->affinity;
	info.permissions = config->permissions;
	info.starts = capsule->starts;
	info.started_at = capsule->started_at;
	/* It may crash anew meanwhile: whatever is there then ends in a zero. */
	memcpy(info.crash, capsule->crash_reason, sizeof(info.crash) - 1);
	return give(vcpu, a[1], a[2], &info, sizeof(info));
}

struct sbi_result manage_capsule_stats(struct vcpu *vcpu, const uint64_t *a)
{
	struct capsule *capsule = find(a[0]);
	struct diosix_capsule_stats stats = {.size = sizeof(stats)};

	if (capsule == NULL)
		return sbi_error(SBI_ERR_BAD_RANGE);
	stats.index = capsule->index;
	for (uint32_t i = 0; i < capsule->config.cpus; i++) {
		stats.ran += sched_ran(&capsule->vcpus[i]);
		for (unsigned n = 0; n < DIOSIX_EXITS; n++)
			stats.exits[n] += capsule->vcpus[i].exits[n];
	}
	stats.output = atomic_load(&capsule->output);
	stats.dropped = atomic_load(&capsule->dropped);
	stats.messages_sent = atomic_load(&capsule->messages_sent);
	stats.messages_received = atomic_load(&capsule->messages_received);
	stats.grants = atomic_load(&capsule->grants);
	return give(vcpu, a[1], a[2], &stats, sizeof(stats));
}

/* --- their lives ------------------------------------------------------------------------------ */

struct sbi_result manage_capsule_start(struct vcpu *vcpu, const uint64_t *a)
{
	static const int64_t errors[] = {
		[START_BEGUN] = SBI_SUCCESS,
		[START_NOT_STOPPED] = SBI_ERR_INVALID_STATE,
		[START_NO_MEMORY] = SBI_ERR_FAILED,
	};
	struct capsule *capsule = find(a[0]);

	return sbi_error(capsule == NULL ? SBI_ERR_BAD_RANGE : errors[capsule_start(capsule)]);
}

struct sbi_result manage_capsule_stop(struct vcpu *vcpu, const uint64_t *a)
{
	struct capsule *capsule = find(a[0]);

	if (capsule == NULL)
		return sbi_error(SBI_ERR_BAD_RANGE);
	return sbi_error(capsule_ask_to_stop(capsule) ? SBI_SUCCESS : SBI_ERR_INVALID_STATE);
}

static struct sbi_result give_order(uint64_t index, enum order order)
{
	struct capsule *capsule = find(index);

	if (capsule == NULL)
		return sbi_error(SBI_ERR_BAD_RANGE);
	return sbi_error(capsule_order(capsule, order) ? SBI_SUCCESS : SBI_ERR_INVALID_STATE);
}

struct sbi_result manage_capsule_kill(struct vcpu *vcpu, const uint64_t *a)
{
	return give_order(a[0], ORDER_KILL);
}

struct sbi_result manage_capsule_restart(struct vcpu *vcpu, const uint64_t *a)
{
	return give_order(a[0], ORDER_RESTART);
}
