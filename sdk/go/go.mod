module github.com/wr-build/wr/sdk/go

go 1.26.0
