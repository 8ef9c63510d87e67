# Writes, to descriptor 4, what R's default packages offer: runner.R then attaches them without loading them.
local({
    packages <- setdiff(getOption("defaultPackages"), "methods")
    exports <- lapply(packages, function(package) ls(paste0("package:", package), all.names = TRUE))
    # Their methods for the generic functions of base, which loading them registers.
    table <- get(".__S3MethodsTable__.", envir = baseenv())
    methods <- lapply(packages, function(package) {
        namespace <- asNamespace(package)
        Filter(function(name) identical(table[[name]], namespace[[name]]), ls(table, all.names = TRUE))
    })
    # methods changes how R works once it is loaded, so it is there from the start for programs that use it.
    index <- list(packages = packages, exports = exports, methods = methods, s4 = getNamespaceExports("methods"))
    channel <- file("/dev/fd/4", "wb", raw = TRUE)
    writeBin(serialize(index, NULL), channel)
    close(channel)
})
