module example.invalid/mock

go 1.21
