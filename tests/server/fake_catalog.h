/* fake_catalog.h - a catalog with one data set, "mnist", whose images nobody looks at. It stands in for
 * server/catalog.c (all of catalog.h is defined). */
#ifndef FAKE_CATALOG_H
#define FAKE_CATALOG_H

#include "catalog.h"

int fake_catalog_acquired(void); /* acquired and not released */

#endif
