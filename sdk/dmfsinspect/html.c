/* SPDX-License-Identifier: MIT */
/* An image as one page of HTML: no script, nothing fetched, light and dark as the reader has it. */
#include "inspect.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/diag.h"
#include "common/file.h"
#include "common/size.h"

/* Units of the pictures' coordinates. */
#define WIDE       1000.0
#define CHARACTER  7.4 /* of their labels, on average */
#define LABEL_ROOM 64.0

static const char style[] =
	":root{color-scheme:light dark;--page:#f6f7f9;--card:#fff;--ink:#1b2330;--soft:#5d6878;"
	"--line:#dfe3ea;--good:#147a4b;--good-back:#e3f5ec;--bad:#97590a;--bad-back:#fdf1dc;"
	"--kernel:#4459c9;--initrd:#138a86;--devicetree:#c47a12;--banner:#c0417f;--program:#7d4fc4;"
	"--file:#64748b;--tables:#8a94a6;--signatures:#2b9a63;--free:#e9ecf1;--label:#fff}\n"
	"@media(prefers-color-scheme:dark){:root{--page:#12161d;--card:#1b212b;--ink:#e7ebf2;"
	"--soft:#9aa6b8;--line:#303947;--good:#6cd8a2;--good-back:#15352a;--bad:#f2bd6b;"
	"--bad-back:#3a2c13;--kernel:#7f92f5;--initrd:#3fbab5;--devicetree:#e0a045;--banner:#"
	"e477ab;"
	"--program:#ab83ec;--file:#8b9bb2;--tables:#6c778a;--signatures:#4cc088;--free:#28303c;--"
	"label:#0e1218}}\n"
	"*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);"
	"font:15px/1.55 system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif}"
	"main{max-width:66rem;margin:0 auto;padding:2.5rem 1.25rem 3rem}"
	"h1{font-size:2rem;line-height:1.2;margin:.1rem 0 1rem}h1 small{font-weight:400;"
	"color:var(--soft);font-size:1.25rem}"
	"h2{font-size:1.15rem;margin:2.25rem 0 .75rem}h3{font-size:1.05rem;margin:0 0 .6rem}"
	".eyebrow,.kind{color:var(--soft);font-size:.78rem;letter-spacing:.08em;"
	"text-transform:uppercase}.kind{margin-left:.5rem;font-weight:400}"
	".verdict{padding:.8rem 1rem;border-radius:.6rem;border-left:.3rem solid}"
	".yes{background:var(--good-back);color:var(--good)}.no{background:var(--bad-back);"
	"color:var(--bad)}\n"
	".card{background:var(--card);border:1px solid var(--line);border-radius:.8rem;"
	"padding:1.1rem 1.25rem;margin:0 0 1rem;overflow-x:auto}"
	"dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(7.25rem,1fr));"
	"gap:.9rem 1.25rem;margin:0 0 .9rem}dl.head{margin:1.25rem 0 0}.capsule dl{"
	"grid-template-columns:repeat(auto-fill,minmax(6.4rem,1fr))}dt{color:var(--soft);"
	"font-size:.8rem}dd{margin:0;overflow-wrap:anywhere}"
	"table{border-collapse:collapse;width:100%}th{font-weight:500;color:var(--soft);"
	"font-size:.8rem;text-align:left}th,td{padding:.35rem .8rem .35rem 0;border-bottom:1px "
	"solid "
	"var(--line)}tr:last-child "
	"td{border-bottom:0}td{white-space:nowrap}.number{text-align:right;"
	"font-variant-numeric:tabular-nums;white-space:nowrap}"
	"code{font:.86em ui-monospace,'DejaVu Sans Mono',monospace;overflow-wrap:anywhere}"
	"pre{margin:.2rem 0 .9rem;padding:.6rem .8rem;border-radius:.5rem;background:var(--page);"
	"white-space:pre-wrap;overflow-wrap:anywhere}pre code{font-size:.85rem}\n"
	"svg{display:block;width:100%;height:auto}svg "
	"text{font-size:13px;fill:var(--label)}"
	"svg .outside{fill:var(--soft)}svg rect{stroke:var(--card);stroke-width:1}"
	".dot{display:inline-block;width:.7rem;height:.7rem;border-radius:.2rem;margin-right:.5rem}"
	"ul{margin:0;padding:0;list-style:none;display:grid;gap:.3rem}"
	"li code{margin-right:.6rem}.loaded{display:flex;flex-wrap:wrap;gap:.3rem 1.6rem;"
	"margin:.7rem 0 0;font-size:.9rem}.loaded code{margin:0 .1rem 0 .5rem}h4{margin:1.1rem 0 "
	".4rem;font-size:.9rem}.none,.note,footer{color:var(--soft)}footer{margin-top:2rem;"
	"font-size:.85rem}.bar{display:inline-block;height:.5rem;border-radius:.25rem;"
	"background:var(--kernel);vertical-align:middle;margin-left:.6rem}"
	".ratio{display:inline-block;min-width:3.9rem;text-align:right;"
	"font-variant-numeric:tabular-nums}.free{fill:var(--free);background:var(--free)}\n";

static const char *const colours[] = {"kernel",  "initrd", "devicetree", "banner",
				      "program", "file",   "tables",     "signatures"};

/* What each permission allows, in words. */
static const char *const abilities[DMFS_PERM_COUNT] = {
	[DMFS_PERM_SERVICE_CONSOLE] = "offers the console service to other capsules",
	[DMFS_PERM_SERVICE_STORAGE] = "offers the storage service to other capsules",
	[DMFS_PERM_SERVICE_NETWORK] = "offers the network service to other capsules",
	[DMFS_PERM_SERVICE_CONTROL] = "offers the control service to other capsules",
	[DMFS_PERM_CONSOLE_READ] = "reads what is typed on the board\xe2\x80\x99s console",
	[DMFS_PERM_CONSOLE_WRITE] = "writes to the board\xe2\x80\x99s console",
	[DMFS_PERM_HV_LOG_READ] = "reads the hypervisor\xe2\x80\x99s log",
	[DMFS_PERM_HV_STATS_READ] = "reads the hypervisor\xe2\x80\x99s figures",
	[DMFS_PERM_CAPSULE_LIST] = "sees which other capsules there are",
	[DMFS_PERM_CAPSULE_START] = "starts other capsules",
	[DMFS_PERM_CAPSULE_STOP] = "stops other capsules",
	[DMFS_PERM_CAPSULE_RESTART] = "restarts other capsules",
	[DMFS_PERM_CAPSULE_FOCUS] = "chooses which capsule gets the console\xe2\x80\x99s input",
	[DMFS_PERM_MESSAGE_SEND] = "sends messages to other capsules",
	[DMFS_PERM_MESSAGE_RECEIVE] = "receives messages from other capsules",
	[DMFS_PERM_MEMORY_GRANT] = "shares pages of its own memory with other capsules",
};

/* Text of unknown origin: what HTML would take for markup, and what no browser should get. */
static void put(FILE *out, const char *text, size_t len)
{
	while (len > 0) {
		size_t plain = 0;

		while (plain < len && !memchr("&<>\"'", text[plain], 5))
			plain++;
		diag_put_clean(out, text, plain);
		if (plain < len)
			fprintf(out, "&#%d;", text[plain++]);
		text += plain;
		len -= plain;
	}
}

static void put_str(FILE *out, struct dmfs_str s)
{
	put(out, s.data, s.len);
}

static void put_style(FILE *out)
{
	fputs("<style>\n", out);
	fputs(style, out);
	for (size_t i = 0; i < sizeof(colours) / sizeof(colours[0]); i++)
		fprintf(out, ".%s{fill:var(--%s);background:var(--%s)}", colours[i], colours[i],
			colours[i]);
	fputs("\n</style>\n", out);
}

/* --- pictures to scale ------------------------------------------------------------------------ */

/* A part of a bar. */
struct part {
	const char *colour;
	struct dmfs_str name;
	uint64_t start, len;
};

static struct dmfs_str words(const char *text)
{
	return (struct dmfs_str){text, (uint32_t)strlen(text)};
}

static void begin_bar(FILE *out, const char *what, double height)
{
	fprintf(out, "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"%s\">\n", WIDE,
		height, what);
}

/* The part as a rectangle; its name on it where there is room, and always as a tooltip. */
static void put_part(FILE *out, const struct part *part, uint64_t whole, double height)
{
	double x = WIDE * (double)part->start / (double)whole;
	double width = WIDE * (double)part->len / (double)whole;
	char size[24];

	fprintf(out, "<rect class=\"%s\" x=\"%.3f\" y=\"0\" width=\"%.3f\" height=\"%.0f\"><title>",
		part->colour, x, width, height);
	put_str(out, part->name);
	fprintf(out, ", %s at %" PRIu64 "</title></rect>\n", size_text(size, part->len),
		part->start);
	if (width < LABEL_ROOM || part->name.len * CHARACTER > width)
		return;
	fprintf(out, "<text x=\"%.1f\" y=\"%.0f\" text-anchor=\"middle\">", x + width / 2,
		height / 2 - 3);
	put_str(out, part->name);
	fprintf(out, "</text><text x=\"%.1f\" y=\"%.0f\" text-anchor=\"middle\">%s</text>\n",
		x + width / 2, height / 2 + 14, size);
}

static void put_ends(FILE *out, double y, const char *first, const char *last)
{
	fprintf(out,
		"<text class=\"outside\" x=\"0\" y=\"%.0f\">%s</text>"
		"<text class=\"outside\" x=\"%.0f\" y=\"%.0f\" text-anchor=\"end\">%s</text>\n"
		"</svg>\n",
		y, first, WIDE, y, last);
}

static void put_tables(FILE *out, const struct dmfs_image *image, uint64_t whole, double height)
{
	const struct dmfs_extent *extent = &image->extent;
	struct part tables = {"tables", words("header and tables"), 0, extent->signed_len};
	struct part signatures = {"signatures", words("signatures"), extent->signed_len,
				  extent->payload_offset - extent->signed_len};

	put_part(out, &tables, whole, height);
	put_part(out, &signatures, whole, height);
}

static void put_file_picture(FILE *out, const struct dmfs_image *image)
{
	const struct dmfs_extent *extent = &image->extent;
	uint64_t at = extent->payload_offset;
	char size[24];

	begin_bar(out, "The parts of the file, to scale", 88);
	put_tables(out, image, extent->image_len, 64);
	for (uint32_t i = 0; i < image->objects; i++) {
		struct dmfs_object object = dmfs_object(image, i);
		struct part part = {dmfs_object_type_name(object.type), object.name, at,
				    inspect_stored_len(image, &object)};

		put_part(out, &part, extent->image_len, 64);
		at += part.len;
	}
	put_ends(out, 84, "0", size_text(size, extent->image_len));
	/* What is signed is small: a second bar shows it enlarged. */
	if (extent->payload_offset * 20 > extent->image_len)
		return;
	fprintf(out, "<p class=\"note\">Its first %s, enlarged %" PRIu64 " times:</p>\n",
		size_text(size, extent->payload_offset),
		extent->image_len / extent->payload_offset);
	begin_bar(out, "What is signed, and the signatures, to scale", 64);
	put_tables(out, image, extent->payload_offset, 40);
	put_ends(out, 60, "0", size_text(size, extent->payload_offset));
}

static void put_loaded(FILE *out, const struct dmfs_image *image, uint32_t index, uint64_t at,
		       uint64_t more, uint64_t memory)
{
	struct dmfs_object object;
	struct part part;

	if (index == DMFS_NONE)
		return;
	object = dmfs_object(image, index);
	part = (struct part){dmfs_object_type_name(object.type), object.name,
			     at - DMFS_GUEST_RAM_BASE, object.mem_len + more};
	put_part(out, &part, memory, 48);
}

/* What the picture has no room to say. */
static void put_loaded_line(FILE *out, const struct dmfs_image *image, uint32_t index, uint64_t at)
{
	struct dmfs_object object;
	char size[24];

	if (index == DMFS_NONE)
		return;
	object = dmfs_object(image, index);
	fprintf(out, "<li><span class=\"dot %s\"></span>", dmfs_object_type_name(object.type));
	put_str(out, object.name);
	fprintf(out, " <code>0x%" PRIx64 "</code> %s</li>\n", at, size_text(size, object.mem_len));
}

static void put_memory_picture(FILE *out, const struct dmfs_image *image,
			       const struct dmfs_capsule *capsule)
{
	uint64_t memory = capsule->memory;
	char end[24];

	begin_bar(out, "What is loaded where in the capsule's memory, to scale", 72);
	fprintf(out, "<rect class=\"free\" x=\"0\" y=\"0\" width=\"%.0f\" height=\"48\"/>\n", WIDE);
	put_loaded(out, image, capsule->kernel, capsule->kernel_load, 0, memory);
	put_loaded(out, image, capsule->initrd, capsule->initrd_load, 0, memory);
	put_loaded(out, image, capsule->devicetree, capsule->devicetree_load, DMFS_DEVICETREE_ROOM,
		   memory);
	snprintf(end, sizeof(end), "0x%" PRIx64, DMFS_GUEST_RAM_BASE + memory);
	put_ends(out, 68, "0x80000000", end);
	fputs("<ul class=\"loaded\">\n", out);
	put_loaded_line(out, image, capsule->kernel, capsule->kernel_load);
	put_loaded_line(out, image, capsule->initrd, capsule->initrd_load);
	put_loaded_line(out, image, capsule->devicetree, capsule->devicetree_load);
	fputs("</ul>\n", out);
}

/* --- sections --------------------------------------------------------------------------------- */

static void fact(FILE *out, const char *name, const char *value)
{
	fprintf(out, "<div><dt>%s</dt><dd>%s</dd></div>\n", name, value);
}

static void fact_number(FILE *out, const char *name, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	fact(out, name, text);
}

static void put_boards(FILE *out, const struct dmfs_image *image)
{
	bool any = true;

	fputs("<div><dt>boards</dt><dd>", out);
	for (uint32_t i = 0; i < image->properties; i++) {
		struct dmfs_property property = dmfs_property(image, i);

		if (!dmfs_str_is(property.key, "board"))
			continue;
		fputs(any ? "" : ", ", out);
		put_str(out, property.value);
		any = false;
	}
	fputs(any ? "any</dd></div>\n" : "</dd></div>\n", out);
}

static void put_head(FILE *out, const struct image_file *file)
{
	const struct dmfs_image *image = &file->image;
	char size[24], raw_text[24], line[64], when[32];
	uint64_t raw = 0;

	for (uint32_t i = 0; i < image->objects; i++)
		raw += dmfs_object(image, i).raw_len;
	fputs("<div class=\"eyebrow\">DMFS image</div>\n<h1>", out);
	put_str(out, image->name);
	fputs(" <small>", out);
	put_str(out, image->version);
	fputs("</small></h1>\n", out);
	fputs(file->verified
		      ? "<p class=\"verdict yes\"><b>Verified.</b> Enough of the trusted keys "
			"signed this image. Its contents are checked by <code>dmfs verify</code>."
		      : "<p class=\"verdict no\"><b>Nothing was verified.</b> This page shows what "
			"the file claims. <code>--trust NAME.pub</code> verifies it.",
	      out);
	fputs("</p>\n<dl class=\"head\">\n", out);
	fact(out, "file", size_text(size, image->extent.image_len));
	snprintf(line, sizeof(line), "%s (%.0f %%)", size_text(raw_text, raw),
		 raw ? 100.0 * (double)image->extent.payload_len / (double)raw : 0.0);
	fact(out, "unpacked (stored)", line);
	fact_number(out, "objects", image->objects);
	fact_number(out, "capsules", image->capsules);
	fact_number(out, "rollback index", image->rollback);
	fact(out, "created", inspect_time(when, image->created));
	put_boards(out, image);
	fputs("</dl>\n", out);
}

static void put_objects(FILE *out, const struct dmfs_image *image)
{
	fputs("<table><tr><th>object</th><th>type</th><th class=\"number\">unpacked</th>"
	      "<th class=\"number\">stored</th><th>ratio</th><th>hash</th></tr>\n",
	      out);
	for (uint32_t i = 0; i < image->objects; i++) {
		struct dmfs_object object = dmfs_object(image, i);
		uint64_t stored = inspect_stored_len(image, &object);
		const char *type = dmfs_object_type_name(object.type);
		double ratio = 100.0 * (double)stored / (double)object.raw_len;
		char raw[24], kept[24], hash[INSPECT_HASH_TEXT_LEN];

		fprintf(out, "<tr><td><span class=\"dot %s\"></span>", type);
		put_str(out, object.name);
		fprintf(out,
			"</td><td>%s</td><td class=\"number\">%s</td><td class=\"number\">%s</td>"
			"<td><span class=\"ratio\">%.1f %%</span><span class=\"bar %s\" "
			"style=\"width:%.2frem\"></span></td>"
			"<td><code>%s</code></td></tr>\n",
			type, size_text(raw, object.raw_len), size_text(kept, stored), ratio, type,
			(ratio < 100 ? ratio : 100) / 20, inspect_hash(hash, image, &object));
	}
	fputs("</table>\n", out);
}

static void put_permissions(FILE *out, uint64_t permissions)
{
	if (permissions == 0) {
		fputs("<p class=\"none\">It may run, and nothing beyond that.</p>\n", out);
		return;
	}
	fputs("<ul>\n", out);
	for (unsigned i = 0; i < DMFS_PERM_COUNT; i++) {
		if (permissions >> i & 1)
			fprintf(out, "<li><code>%s</code>%s</li>\n", dmfs_permission_name(i),
				abilities[i] ? abilities[i] : "");
	}
	fputs("</ul>\n", out);
}

static void put_harts(FILE *out, uint64_t affinity)
{
	const char *comma = "";

	fputs("<div><dt>harts</dt><dd>", out);
	for (unsigned i = 0; i < 64; i++) {
		if (affinity >> i & 1) {
			fprintf(out, "%s%u", comma, i);
			comma = ", ";
		}
	}
	fputs(affinity ? "</dd></div>\n" : "any</dd></div>\n", out);
}

static void put_capsule(FILE *out, const struct dmfs_image *image,
			const struct dmfs_capsule *capsule)
{
	char text[48], memory[24];

	fputs("<section class=\"card capsule\"><h3>", out);
	put_str(out, capsule->name);
	fprintf(out, "<span class=\"kind\">%s</span></h3>\n<dl>\n",
		capsule->kind == DMFS_GUEST ? "guest" : "service");
	fact(out, "memory", size_text(memory, capsule->memory));
	fact_number(out, "vCPUs", capsule->cpus);
	put_harts(out, capsule->affinity);
	fact(out, "priority", dmfs_priority_name(capsule->priority));
	snprintf(text, sizeof(text), "%u %% of a hart", capsule->cpu_limit);
	fact(out, "vCPU limit", capsule->cpu_limit ? text : "none");
	fact(out, "restart", dmfs_restart_name(capsule->restart));
	snprintf(text, sizeof(text), "0x%" PRIx64, capsule->entry);
	fact(out, "entry", text);
	fact(out, "runs at",
	     capsule->flags & DMFS_CAPSULE_RELOCATABLE ? "any address" : "one address");
	fputs("</dl>\n", out);
	if (capsule->cmdline.len) {
		fputs("<pre><code>", out);
		put_str(out, capsule->cmdline);
		fputs("</code></pre>\n", out);
	}
	put_memory_picture(out, image, capsule);
	fputs("<h4>What it may do</h4>\n", out);
	put_permissions(out, capsule->permissions);
	fputs("</section>\n", out);
}

static void put_signatures(FILE *out, const struct image_file *file, const struct trust_keys *trust)
{
	char id[KEY_ID_TEXT_LEN];

	if (file->image.extent.signatures == 0) {
		fputs("<p class=\"none\">None: no board takes this image.</p>\n", out);
		return;
	}
	fputs("<table><tr><th>key</th><th>state</th></tr>\n", out);
	for (uint32_t i = 0; i < file->image.extent.signatures; i++) {
		const uint8_t *key = dmfs_signature_key(&file->image, i);

		fprintf(out, "<tr><td><code>%s</code></td><td>%s</td></tr>\n", key_id_text(id, key),
			inspect_is_trusted(file, trust, key) ? "trusted, holds" : "not checked");
	}
	fputs("</table>\n", out);
}

static void put_page(FILE *out, const struct image_file *file, const struct trust_keys *trust)
{
	const struct dmfs_image *image = &file->image;

	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	      "style-src 'unsafe-inline'\">\n<title>",
	      out);
	put_str(out, image->name);
	fputs(" \xc2\xb7 DMFS image</title>\n", out);
	put_style(out);
	fputs("<main>\n", out);
	put_head(out, file);
	fputs("<h2>The file, to scale</h2>\n<div class=\"card\">\n", out);
	put_file_picture(out, image);
	fputs("</div>\n<h2>Objects</h2>\n<div class=\"card\">\n", out);
	put_objects(out, image);
	fputs("</div>\n<h2>Capsules</h2>\n", out);
	for (uint32_t i = 0; i < image->capsules; i++) {
		struct dmfs_capsule capsule = dmfs_capsule(image, i);

		put_capsule(out, image, &capsule);
	}
	fputs("<h2>Signatures</h2>\n<div class=\"card\">\n", out);
	put_signatures(out, file, trust);
	fputs("</div>\n<footer>Made by dmfs " DIOSIX_VERSION
	      ". Hashes are the first 8 bytes of a BLAKE2b-256 over the stored chunks\xe2\x80\x99 "
	      "hashes.</footer>\n</main>\n</html>\n",
	      out);
}

int inspect_write_html(const char *path, const struct image_file *file,
		       const struct trust_keys *trust)
{
	struct output output;
	int status = output_open(&output, path);

	if (status != STATUS_DONE)
		return status;
	put_page(output.stream, file, trust);
	return output_commit(&output);
}
