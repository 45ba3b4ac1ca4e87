/* SPDX-License-Identifier: MIT */
/* The service ABI's calls about the board, its log and its capsules: each is one of sbi_service.c's table. */
#ifndef MANAGE_H
#define MANAGE_H

#include "sbi.h"

struct sbi_result manage_log_read(struct vcpu *vcpu, const uint64_t *a);
struct sbi_result manage_board_info(struct vcpu *vcpu, const uint64_t *a);
struct sbi_result manage_capsule_info(struct vcpu *vcpu, const uint64_t *a);
struct sbi_result manage_capsule_stats(struct vcpu *vcpu, const uint64_t *a);
struct sbi_result manage_capsule_start(struct vcpu *vcpu, const uint64_t *a);
struct sbi_result manage_capsule_stop(struct vcpu *vcpu, const uint64_t *a);
struct sbi_result manage_capsule_kill(struct vcpu *vcpu, const uint64_t *a);
struct sbi_result manage_capsule_restart(struct vcpu *vcpu, const uint64_t *a);

#endif
