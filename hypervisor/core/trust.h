/* SPDX-License-Identifier: MIT */
/* The trust anchors, in a section of their own that `dmfs run` and `dmfs bundle` fill after the build. */
#ifndef TRUST_H
#define TRUST_H

#include "dmfs.h"

const struct dmfs_trust_section *trust_section(void);

#endif
