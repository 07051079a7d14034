#include "histograms.h"

#include <string.h>

void histograms_copy(struct histograms *to, const struct ff_histograms *from)
{
    to->about = *from;
    memcpy(to->layer, from->layer, from->layers * sizeof *from->layer);
    to->about.layer = to->layer;
}

static void write_counts(struct text *text, const char *name, const uint64_t *counts, size_t first, size_t end)
{
    text_print(text, ",\"%s\":[", name);
    for (size_t bin = first; bin < end; bin++)
        text_print(text, "%s%llu", bin > first ? "," : "", (unsigned long long)counts[bin]);
    text_print(text, "]");
}

static void write_edges(struct text *text, double width, size_t first, size_t end)
{
    text_print(text, "\"edges\":[");
    for (size_t edge = first; edge <= end; edge++) {
        text_print(text, edge > first ? "," : "");
        text_number(text, (double)edge * width, "null");
    }
    text_print(text, "]");
}

static void write_layer(struct text *text, const struct ff_histograms *histograms, uint32_t layer)
{
    const struct ff_histogram *histogram = &histograms->layer[layer];
    size_t first, end;

    ff_histogram_range(histogram, &first, &end);
    text_print(text, "%s{\"layer\":%u,", layer > 0 ? "," : "", (unsigned)layer);
    write_edges(text, ff_histogram_width(histogram), first, end);
    write_counts(text, "positive", histogram->positive, first, end);
    write_counts(text, "negative", histogram->negative, first, end);
    text_print(text, ",\"threshold\":");
    text_number(text, histograms->threshold[layer], "null");
    text_print(text, "}");
}

void histograms_write(struct text *text, const struct ff_histograms *histograms)
{
    text_print(text, "\"epoch\":%u,\"step\":%llu,\"images\":%llu,\"whole\":%s,\"layers\":[",
               (unsigned)histograms->epoch, (unsigned long long)histograms->step,
               (unsigned long long)histograms->images, histograms->whole ? "true" : "false");
    for (uint32_t layer = 0; layer < histograms->layers; layer++)
        write_layer(text, histograms, layer);
    text_print(text, "]");
}
