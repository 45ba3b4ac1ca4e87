/* SPDX-License-Identifier: MIT */
#include "yamltree.h"

#include <string.h>
#include <yaml.h>

struct builder {
	struct report *report;
	struct arena *arena;
	struct node *root;
	struct node *open; /* the collection that is being read */
	unsigned documents;
};

static struct diag_place place_of(const yaml_mark_t *from, const yaml_mark_t *to)
{
	struct diag_place place = {(uint32_t)from->line + 1, (uint32_t)from->column + 1, 1};

	if (to->line == from->line && to->column > from->column)
		place.length = (uint32_t)(to->column - from->column);
	return place;
}

bool yaml_is_null(const struct node *node)
{
	return node->kind == NODE_SCALAR && node->plain &&
	       (node->text[0] == '\0' || strcmp(node->text, "~") == 0 ||
		strcmp(node->text, "null") == 0);
}

static struct node *add(struct builder *b, enum node_kind kind, const yaml_event_t *event)
{
	struct node *node = arena_alloc(b->arena, sizeof(*node));

	node->kind = kind;
	node->place = place_of(&event->start_mark, &event->end_mark);
	node->parent = b->open;
	node->depth = b->open ? b->open->depth + 1 : 0;
	if (!b->open)
		b->root = node;
	else if (b->open->last)
		b->open->last->next = node;
	else
		b->open->first = node;
	if (b->open)
		b->open->last = node;
	return node;
}

static bool refuse(struct builder *b, const yaml_event_t *event, const char *why)
{
	report_error(b->report, place_of(&event->start_mark, &event->end_mark), NULL, "%s", why);
	return false;
}

static bool collection(struct builder *b, enum node_kind kind, const yaml_event_t *event)
{
	struct node *node = add(b, kind, event);

	if (node->depth >= YAML_MAX_DEPTH)
		return refuse(b, event, "nested too deeply: 32 levels are allowed");
	if (kind == NODE_MAPPING ? event->data.mapping_start.anchor != NULL
				 : event->data.sequence_start.anchor != NULL)
		return refuse(b, event, "anchors are not supported; write the value out");
	b->open = node;
	return true;
}

static bool scalar(struct builder *b, const yaml_event_t *event)
{
	struct node *node = add(b, NODE_SCALAR, event);
	const char *text = (const char *)event->data.scalar.value;

	node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	node->text = arena_copy(b->arena, text, event->data.scalar.length);
	if (event->data.scalar.anchor)
		return refuse(b, event, "anchors are not supported; write the value out");
	if (event->data.scalar.tag)
		return refuse(b, event, "tags are not supported; leave it out");
	if (strlen(node->text) != event->data.scalar.length)
		return refuse(b, event, "a zero byte in a string");
	return true;
}

/* True to go on. */
static bool take(struct builder *b, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (b->documents++ > 0)
			return refuse(b, event, "a second document begins; a manifest is one");
		return true;
	case YAML_ALIAS_EVENT:
		return refuse(b, event, "aliases are not supported; write the value out");
	case YAML_MAPPING_START_EVENT:
		return collection(b, NODE_MAPPING, event);
	case YAML_SEQUENCE_START_EVENT:
		return collection(b, NODE_SEQUENCE, event);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		b->open = b->open->parent;
		return true;
	case YAML_SCALAR_EVENT:
		return scalar(b, event);
	default:
		return true;
	}
}

/* Where the parser stopped; an end that came too soon is shown where what it ended began. */
static struct diag_place problem_place(const struct report *report, const yaml_parser_t *parser)
{
	const yaml_mark_t *mark = &parser->problem_mark;
	struct diag_place place = {1, 1, 1};

	if (parser->error == YAML_READER_ERROR) {
		/* The reader knows an offset only. */
		for (size_t i = 0; i < parser->problem_offset && i < report->source.len; i++) {
			place.column = report->source.text[i] == '\n' ? 1 : place.column + 1;
			place.line += report->source.text[i] == '\n';
		}
		return place;
	}
	if (parser->context && mark->index >= report->source.len)
		mark = &parser->context_mark;
	return place_of(mark, mark);
}

static void say_problem(struct report *report, const yaml_parser_t *parser)
{
	struct diag_place place = problem_place(report, parser);
	const char *problem = parser->problem ? parser->problem : "out of memory";

	if (strstr(problem, "cannot start any token") &&
	    parser->problem_mark.index < report->source.len &&
	    report->source.text[parser->problem_mark.index] == '\t')
		report_error(report, place, NULL, "a tab; YAML is indented with blanks only");
	else if (parser->context)
		report_error(report, place, NULL, "not YAML: %s %s, which begins in line %zu",
			     problem, parser->context, parser->context_mark.line + 1);
	else
		report_error(report, place, NULL, "not YAML: %s", problem);
}

static bool is_text(struct report *report)
{
	const struct diag_place nowhere = {0, 0, 0};
	const char *zero;

	if (report->source.len > YAML_MAX_LEN) {
		report_error(report, nowhere, NULL, "larger than 1 MiB: this is no manifest");
		return false;
	}
	zero = memchr(report->source.text, 0, report->source.len);
	if (zero) {
		report_error(report, nowhere, NULL,
			     "byte %zu is zero: this is a binary file, no manifest",
			     (size_t)(zero - report->source.text));
		return false;
	}
	return true;
}

static bool build(struct builder *b, yaml_parser_t *parser)
{
	yaml_event_type_t type;
	bool go_on;

	do {
		yaml_event_t event;

		if (!yaml_parser_parse(parser, &event)) {
			say_problem(b->report, parser);
			return false;
		}
		type = event.type;
		go_on = take(b, &event);
		yaml_event_delete(&event);
	} while (go_on && type != YAML_STREAM_END_EVENT);
	return go_on;
}

struct node *yaml_read(struct report *report, struct arena *arena)
{
	struct builder b = {report, arena, NULL, NULL, 0};
	const struct diag_place start = {1, 1, 1};
	yaml_parser_t parser;
	bool good;

	if (!is_text(report))
		return NULL;
	if (!yaml_parser_initialize(&parser)) {
		report_error(report, start, NULL, "out of memory");
		return NULL;
	}
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)report->source.text,
				     report->source.len);
	good = build(&b, &parser);
	yaml_parser_delete(&parser);
	if (good && !b.root)
		report_error(report, (struct diag_place){0, 0, 0}, NULL,
			     "empty: a manifest begins with 'dmfs: 1' ('dmfs init' writes one)");
	return good ? b.root : NULL;
}
